"""The environments of samconfig.toml: the same deployment, but for what is meant to differ."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.template.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
ENVIRONMENTS = ("dev", "staging", "prod")


def overrides(environment: str) -> dict[str, str]:
    """The parameters that an environment deploys with."""
    given = CONFIG[environment]["deploy"]["parameters"].get("parameter_overrides", [])
    return dict(one.split("=", 1) for one in given)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_differs_in_its_name_and_its_parameters(environment: str) -> None:
    """SAM inherits nothing from [default], so what is repeated must stay the same."""
    shared, own = CONFIG["default"], CONFIG[environment]
    assert own.keys() == {"global", "deploy"}
    assert own["global"]["parameters"] == {"stack_name": f"backstairs-{environment}"}
    deploy = dict(own["deploy"]["parameters"])
    assert deploy.pop("parameter_overrides")[0] == f"Stage={environment}"
    assert deploy == shared["deploy"]["parameters"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environments_parameters_are_the_templates(
    application_with: Callable[..., Any], environment: str
) -> None:
    """They translate, and each is one that the template declares."""
    stack = application_with(**overrides(environment))
    assert overrides(environment).keys() <= stack.template["Parameters"].keys()
    assert bool(stack.of_type("AWS::CodeDeploy::DeploymentGroup")) == (environment == "prod")
    assert (stack.resources["ClaimsTable"]["DeletionPolicy"] == "Retain") == (environment == "prod")


@pytest.mark.parametrize("name", ["forwarder", "partner", "regional", "webhooks"])
def test_another_stack_has_an_environment_of_its_own(name: str) -> None:
    """So that what --guided saves for it never ends up in the application's."""
    own = {command: found["parameters"] for command, found in CONFIG[name].items()}
    assert own["global"]["stack_name"] == f"backstairs-{name}"
    assert own["build"]["template_file"] == f"stacks/{name}.yaml"
    assert own["deploy"]["template_file"] == f"{own['build']['build_dir']}/template.yaml"
    shared = CONFIG["default"]["build"]["parameters"]
    assert shared.items() <= own["build"].items()
