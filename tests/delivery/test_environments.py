"""Every environment of samconfig.toml does what it says, as typed and without a terminal."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.local.application import ROOT

if TYPE_CHECKING:
    from tests.delivery.conftest import Typed

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
ENVIRONMENTS = sorted(CONFIG.keys() - {"version"})
# These need to be told what only the user knows: a network, a backend, an API.
TO_BE_TOLD = ("forwarder", "partner", "webhooks")
WHOLE = [name for name in ENVIRONMENTS if name not in TO_BE_TOLD]


@pytest.mark.parametrize("environment", ["prod", *TO_BE_TOLD, "regional"])
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
    """Its stack is whole afterwards, in an account that nobody has set up for access logs."""
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


@pytest.mark.parametrize("environment", TO_BE_TOLD)
def test_a_stack_that_must_be_told_something_says_what(typed: Typed, environment: str) -> None:
    """A deployment without it ends, with words and without a question."""
    typed.build(environment)
    ran = typed.sam("deploy", "--config-env", environment)
    assert ran.status != 0
    assert not ran.asked
    assert "Parameter" in ran.output
    assert "was not provided" in ran.output
