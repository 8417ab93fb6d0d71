"""The API without a network: by grants alone, and otherwise the same services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from tests.template.checks import CHECKS
from tests.template.conftest import ROOT
from tests.template.test_access_models import ROUTES, methods

if TYPE_CHECKING:
    from collections.abc import Callable

PRIVATE = load(ROOT / "template.yaml")["Resources"]
REGIONAL = load(ROOT / "stacks" / "regional.yaml")["Resources"]


@pytest.fixture(scope="module")
def regional(regional_with: Callable[..., Any]) -> Any:
    """The stack in stage `test`."""
    return regional_with(Stage="test")


def test_every_route_is_signed_and_there_are_no_others(regional: Any) -> None:
    """The same routes as the private API has, AWS_IAM on each, no caller's credentials."""
    ((_, api),) = regional.of_type("AWS::ApiGateway::RestApi").items()
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert {(verb, path) for verb, path, _ in methods(api["Body"])} == ROUTES
    for _, _, method in methods(api["Body"]):
        assert method["security"] == [{"AWS_IAM": []}]
        assert "credentials" not in method["x-amazon-apigateway-integration"]


def test_other_accounts_are_denied_and_nobody_is_allowed(regional: Any) -> None:
    """What remains is for grants to decide."""
    policy = regional.properties("ClaimsApi")["Body"]["x-amazon-apigateway-policy"]
    (statement,) = policy["Statement"]
    assert statement == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*",
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}},
    }


def test_there_is_no_network(regional: Any) -> None:
    """Neither made nor asked for, nor a right to be in one."""
    assert not any(
        resource["Type"].startswith("AWS::EC2::") for resource in regional.resources.values()
    )
    for function in regional.of_type("AWS::Lambda::Function").values():
        assert "VpcConfig" not in function
    for role in regional.of_type("AWS::IAM::Role").values():
        assert not any("VPC" in arn for arn in role["ManagedPolicyArns"])


def test_the_checks_find_nothing(regional: Any) -> None:
    """As in the private application."""
    assert [finding for check in CHECKS.values() for finding in check(regional)] == []


@pytest.mark.parametrize("name", ["ClaimsFunction", "MembersFunction"])
@pytest.mark.parametrize("part", ["Handler", "Environment", "Policies", "Layers"])
def test_the_functions_are_the_same(name: str, part: str) -> None:
    """Code, rights and surroundings."""
    assert REGIONAL[name]["Properties"][part] == PRIVATE[name]["Properties"][part]


@pytest.mark.parametrize("name", ["ClaimsFunction", "MembersFunction"])
def test_the_routes_are_the_same(name: str) -> None:
    """With their models."""
    assert REGIONAL[name]["Properties"]["Events"] == PRIVATE[name]["Properties"]["Events"]
    code = REGIONAL[name]["Properties"]["CodeUri"]
    assert code == f"../{PRIVATE[name]['Properties']['CodeUri']}"


def test_the_model_and_the_table_are_the_same() -> None:
    """But for the stream, which feeds the notifier."""
    api, private_api = (one["ClaimsApi"]["Properties"] for one in (REGIONAL, PRIVATE))
    assert api["Models"] == private_api["Models"]
    table, private_table = (one["ClaimsTable"] for one in (REGIONAL, PRIVATE))
    properties = dict(private_table["Properties"])
    del properties["StreamSpecification"]
    assert table == {**private_table, "Properties": properties}
