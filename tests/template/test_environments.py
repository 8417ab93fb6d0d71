"""The environments of samconfig.toml: the same deployment, but for what is meant to differ."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.template.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
BESIDE: dict[str, Any] = tomllib.loads((ROOT / "stacks" / "samconfig.toml").read_text("utf-8"))
ENVIRONMENTS = ("dev", "staging", "prod")
OF_THEIR_OWN = ("forwarder", "partner", "regional", "webhooks")


def settings(environment: str) -> dict[str, Any]:
    """What an environment gives to every command."""
    found: dict[str, Any] = CONFIG[environment]["global"]["parameters"]
    return dict(found)


def overrides(environment: str) -> dict[str, str]:
    """The parameters that an environment deploys with."""
    given = settings(environment).get("parameter_overrides", [])
    return dict(one.split("=", 1) for one in given)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_differs_in_its_name_and_its_parameters(environment: str) -> None:
    """SAM inherits nothing from [default], so what is repeated must stay the same."""
    assert CONFIG[environment].keys() == {"global"}
    own = settings(environment)
    assert own.pop("parameter_overrides")[0] == f"Stage={environment}"
    assert own.pop("stack_name") == f"backstairs-{environment}"
    shared = settings("default")
    assert shared.pop("stack_name") == "backstairs"
    assert own == shared


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environments_parameters_are_the_templates(
    application_with: Callable[..., Any], environment: str
) -> None:
    """They translate, and each is one that the template declares."""
    stack = application_with(**overrides(environment))
    assert overrides(environment).keys() <= stack.template["Parameters"].keys()
    assert bool(stack.of_type("AWS::CodeDeploy::DeploymentGroup")) == (environment == "prod")
    kept = stack.resources["ClaimsTable"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert kept == (environment == "prod")


@pytest.mark.parametrize("name", OF_THEIR_OWN)
def test_another_stack_has_an_environment_of_its_own(name: str) -> None:
    """So that what --guided saves for it never ends up in the application's."""
    own = settings(name)
    assert own.pop("stack_name") == f"backstairs-{name}"
    assert own.pop("template_file") == f"stacks/{name}.yaml"
    built = f"{own.pop('build_dir')}/template.yaml"
    # A build of another template empties the cache, in which built layers are used where they lie.
    assert own.pop("cache_dir") == f".aws-sam/{name}/cache"
    assert CONFIG[name]["deploy"]["parameters"] == {"template_file": built}
    shared = settings("default")
    del shared["stack_name"]
    assert own == shared


def test_a_template_given_by_its_path_is_built_and_validated_alike() -> None:
    """SAM then reads stacks/samconfig.toml, which must know every environment and no stack."""
    assert BESIDE.keys() == CONFIG.keys()
    wanted = ("beta_features", "cached", "parallel", "lint")
    expected = {name: settings("default")[name] for name in wanted}
    for environment in CONFIG.keys() - {"version"}:
        assert BESIDE[environment] == {"global": {"parameters": expected}}
