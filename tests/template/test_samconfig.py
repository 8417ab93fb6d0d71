"""What samconfig.toml says of an environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from backstairs.template.load import TemplateError
from backstairs.template.samconfig import Deployment, read_deployment

ROOT = Path(__file__).parents[2]


def read(folder: Path, text: str, environment: str = "default") -> Deployment:
    """An environment of a file."""
    (folder / "samconfig.toml").write_text(text)
    return read_deployment(folder, environment)


@pytest.mark.parametrize(
    "overrides",
    [
        '["Stage=dev", "Cidr=10.0.0.0/8"]',
        '"Stage=dev Cidr=\\"10.0.0.0/8\\""',
        "'Stage=\"dev\" Cidr=10.0.0.0/8'",
        '{Stage = "dev", Cidr = "10.0.0.0/8"}',
    ],
)
def test_parameters_are_read_in_every_form(overrides: str, tmp_path: Path) -> None:
    """A list, a line as for a shell, a table."""
    found = read(tmp_path, f"[default.deploy.parameters]\nparameter_overrides = {overrides}\n")
    assert found.parameters == {"Stage": "dev", "Cidr": "10.0.0.0/8"}


def test_what_deploy_says_comes_before_what_all_commands_say(tmp_path: Path) -> None:
    """But for the template, which deploy takes as it was built."""
    text = """\
[default.global.parameters]
region = "us-east-1"
template_file = "stack.yaml"
[default.deploy.parameters]
region = "eu-west-1"
stack_name = "mine"
template_file = ".aws-sam/build/template.yaml"
"""
    assert read(tmp_path, text) == Deployment("stack.yaml", {}, "eu-west-1", "mine")


def test_our_own_environments_are_read() -> None:
    """A stack of its own has its template; production its parameters."""
    assert read_deployment(ROOT, "forwarder").template == "stacks/forwarder.yaml"
    assert read_deployment(ROOT, "prod").parameters["Stage"] == "prod"
    assert read_deployment(ROOT / "stacks" / "none", "default") == Deployment()


@pytest.mark.parametrize(
    ("text", "environment", "problem"),
    [
        ("[default.deploy.parameters]\n", "live", "has no environment live: it has default"),
        ("a = ", "default", "cannot be read"),
        (
            '[default.deploy.parameters]\nparameter_overrides = ["Stage"]\n',
            "default",
            "parameter_overrides are not NAME=VALUE",
        ),
    ],
)
def test_what_cannot_be_read_says_why(
    text: str, environment: str, problem: str, tmp_path: Path
) -> None:
    """And an environment that is not there lists those that are."""
    with pytest.raises(TemplateError) as raised:
        read(tmp_path, text, environment)
    assert problem in str(raised.value)
