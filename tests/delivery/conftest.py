"""A copy of the project in which `sam` is typed, before an emulated account."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from backstairs.account.client import Account
from backstairs.cli.project import tool
from backstairs.local.deploy import start_account
from backstairs.runtime.process import Children
from tests.local.application import ROOT, copy_application

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REGION = "us-east-1"
QUESTIONS = ("[y/N]", "[Y/n]", "[y/n]", "Aborted")
AS_ROOT = MappingProxyType({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"})


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
    """The copy, and the account that `sam` talks to."""

    root: Path
    account: Account
    built: set[str] = field(default_factory=set)

    def sam(self, *words: str, answer: str = "", who: Mapping[str, str] = AS_ROOT) -> Ran:
        """Run `sam` with these words and credentials; its input is at an end, or this answer."""
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
                **who,
                "PATH": os.pathsep.join([str(Path(tool("uv")).parent), os.environ["PATH"]]),
                "AWS_ENDPOINT_URL": self.account.url,
                "AWS_DEFAULT_REGION": REGION,
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
        own = "default" if environment in {"dev", "staging", "prod"} else environment
        if own not in self.built:
            ran = self.sam("build", "--config-env", environment)
            assert ran.status == 0, ran.output
            self.built.add(own)


@pytest.fixture(scope="session")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typed]:
    """The project's copy, and an account that nobody has used yet."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "state" / "logs").mkdir(parents=True)
    root = folder / "application"
    root.mkdir()
    children = Children()
    try:
        url = start_account(sys.executable, children, folder / "state", REGION)
        shutil.copy(ROOT / ".cfnlintrc.yaml", root)
        yield Typed(copy_application(root), Account(url, REGION))
    finally:
        children.close()
