"""Every environment of samconfig.toml does what it says, as typed and without a terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backstairs.cli.project import tool
from backstairs.local.account import Account
from backstairs.local.deploy import start_account
from backstairs.local.process import Children
from tests.local.application import ROOT, copy_application

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
ENVIRONMENTS = sorted(
    tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8")).keys() - {"version"}
)
# The forwarder's stack needs to be told its network and its backend.
WHOLE = [name for name in ENVIRONMENTS if name != "forwarder"]
QUESTIONS = ("[y/N]", "[Y/n]", "[y/n]", "Aborted")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit status."""

    status: int
    output: str

    @property
    def asked(self) -> bool:
        """Whether it asked anything."""
        return any(question in self.output for question in QUESTIONS)


@dataclass(slots=True)
class Typed:
    """A copy of the project in which `sam` is typed, before an empty account."""

    root: Path
    account: Account
    built: set[str] = field(default_factory=set)

    def sam(self, *words: str, answer: str = "") -> Ran:
        """Run `sam` with these words; its input is at an end, or this answer."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        ran = subprocess.run(
            [tool("sam"), *words],
            cwd=self.root,
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
            env={
                **kept,
                "PATH": os.pathsep.join([str(Path(tool("uv")).parent), os.environ["PATH"]]),
                "AWS_ENDPOINT_URL": self.account.url,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1",
                "SAM_CLI_TELEMETRY": "0",
                "SAM_CLI_POLL_DELAY": "0.2",
                # Where SAM remembers what it has asked: nothing yet.
                "__SAM_CLI_APP_DIR": str(self.root / ".sam"),
            },
        )
        return Ran(ran.returncode, ran.stdout)

    def build(self, environment: str) -> None:
        """Build what an environment deploys, once."""
        own = environment if environment in {"forwarder", "regional"} else "default"
        if own not in self.built:
            ran = self.sam("build", "--config-env", environment)
            assert ran.status == 0, ran.output
            self.built.add(own)


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typed]:
    """The project's copy, and an account that is set up for access logs."""
    folder = tmp_path_factory.mktemp("environments")
    (folder / "state" / "logs").mkdir(parents=True)
    root = folder / "application"
    root.mkdir()
    children = Children()
    try:
        url = start_account(sys.executable, children, folder / "state", REGION)
        shutil.copy(ROOT / ".cfnlintrc.yaml", root)
        started = Typed(copy_application(root), Account(url, REGION))
        account = ["--template", "stacks/api-gateway-account.yaml", "--stack-name", "account"]
        ran = started.sam("deploy", *account, "--capabilities", "CAPABILITY_IAM")
        assert ran.status == 0, ran.output
        yield started
    finally:
        children.close()


@pytest.mark.parametrize("environment", ["prod", "forwarder", "regional"])
def test_an_environment_is_validated_with_the_linter(typed: Typed, environment: str) -> None:
    """Without it `sam validate` would pass what CloudFormation refuses."""
    ran = typed.sam("validate", "--config-env", environment)
    assert (ran.status, ran.asked) == (0, False), ran.output
    assert "is a valid SAM Template\n" in ran.output
    assert "basic SAM Validation" not in ran.output


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_builds_without_a_question(typed: Typed, environment: str) -> None:
    """Not even whether a beta feature may be used."""
    ran = typed.sam("build", "--config-env", environment)
    assert (ran.status, ran.asked) == (0, False), ran.output
    assert "Build Succeeded" in ran.output


@pytest.mark.parametrize(
    "words",
    [
        ["-t", "stacks/forwarder.yaml"],
        ["-t", "stacks/regional.yaml", "--config-env", "prod"],
        ["--template", "stacks/forwarder.yaml", "--config-env", "forwarder"],
    ],
)
def test_a_template_given_by_its_path_builds_without_a_question(
    typed: Typed, words: list[str]
) -> None:
    """SAM then looks for its settings beside that template."""
    typed.built.clear()  # it goes where the application's build is
    ran = typed.sam("build", *words)
    assert (ran.status, ran.asked) == (0, False), ran.output


@pytest.mark.parametrize("environment", WHOLE)
def test_an_environment_deploys_without_a_question(typed: Typed, environment: str) -> None:
    """Its stack is whole afterwards; in an account that is set up for access logs."""
    typed.build(environment)
    ran = typed.sam("deploy", "--config-env", environment)
    assert (ran.status, ran.asked) == (0, False), ran.output
    stack = "backstairs" if environment == "default" else f"backstairs-{environment}"
    assert f"Successfully created/updated stack - {stack}" in ran.output


@pytest.mark.parametrize("environment", ["default", "regional"])
def test_sync_asks_only_whether_the_stack_is_for_development(
    typed: Typed, environment: str
) -> None:
    """SAM's own question, once for each stack, which no setting answers; then it goes through."""
    words = ["sync", "--config-env", environment]
    first = typed.sam(*words)
    assert "Confirm that you are synchronizing a development stack" in first.output
    assert first.output.count("[Y/n]") == 1
    answered = typed.sam(*words, answer="\n")
    assert answered.status == 0, answered.output
    again = typed.sam(*words)
    assert (again.status, again.asked) == (0, False), again.output


def test_the_forwarder_says_which_parameter_it_lacks(typed: Typed) -> None:
    """A deployment without them ends, with words and without a question."""
    typed.build("forwarder")
    ran = typed.sam("deploy", "--config-env", "forwarder")
    assert ran.status != 0
    assert not ran.asked
    assert "Parameter" in ran.output
    assert "was not provided" in ran.output
