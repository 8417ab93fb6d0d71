"""The API without a network: by grants alone, and otherwise the same services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from tests.template.conftest import ROOT
from tests.template.test_access_models import ROUTES, methods

if TYPE_CHECKING:
    from collections.abc import Callable

PRIVATE = load(ROOT / "template.yaml")["Resources"]
REGIONAL = load(ROOT / "stacks" / "regional.yaml")["Resources"]

CLAIM_TYPES = {("GET", "/claim-types")}


@pytest.fixture(scope="module")
def regional(regional_with: Callable[..., Any]) -> Any:
    """The stack in stage `test`."""
    return regional_with(Stage="test")


def test_every_route_is_signed_and_there_are_no_others(regional: Any) -> None:
    """Those of both private APIs, AWS_IAM on each, no caller's credentials."""
    ((_, api),) = regional.of_type("AWS::ApiGateway::RestApi").items()
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert {(verb, path) for verb, path, _ in methods(api["Body"])} == ROUTES | CLAIM_TYPES
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


def shared() -> list[str]:
    """What both have: everything but the network, and the API that only a network can guard."""
    return sorted(PRIVATE.keys() - {"Network", "ReferenceApi"})


def test_it_is_the_whole_application() -> None:
    """Notifier, alarms, logs, pruner and the check of access too."""
    assert sorted(REGIONAL) == shared()


def same(part: Any) -> Any:
    """A part of a template with what differs by place or by network made equal."""
    if isinstance(part, dict):
        dropped = ("VpcConfig", "VersionDescription", "CLAIMS_API_URL", "CLAIMS_API_ID")
        return {key: same(value) for key, value in part.items() if key not in dropped}
    if isinstance(part, list):
        return [same(item) for item in part]
    return part.removeprefix("../") if isinstance(part, str) else part


@pytest.mark.parametrize("name", sorted(set(shared()) - {"ClaimsApi", "Operation", "AccessChecks"}))
def test_what_both_have_is_the_same(name: str) -> None:
    """Functions with their rights, routes and layers, tables, stream, queue, logs."""
    private, regional = same(PRIVATE[name]), same(REGIONAL[name])
    if name == "ApiGatewayAccount":
        private["Properties"].pop("Location")
        assert regional["Properties"].pop("Location") == "api-gateway-account.yaml"
    if name == "ClaimTypesFunction":
        for one in (private, regional):
            one["Properties"]["Events"]["List"]["Properties"].pop("RestApiId")
    assert regional == private


def test_the_api_is_the_same_but_for_its_endpoint() -> None:
    """Name, model and authorizer."""
    api, private_api = (one["ClaimsApi"]["Properties"] for one in (REGIONAL, PRIVATE))
    assert api["Models"] == private_api["Models"]
    assert api["Name"] == private_api["Name"]
    assert api["Auth"]["DefaultAuthorizer"] == private_api["Auth"]["DefaultAuthorizer"]
    template, regional = load(ROOT / "template.yaml"), load(ROOT / "stacks" / "regional.yaml")
    apis = [dict(one["Globals"]["Api"]) for one in (template, regional)]
    endpoints = [one.pop("EndpointConfiguration")["Type"] for one in apis]
    assert endpoints == ["PRIVATE", "REGIONAL"]
    assert apis[0] == apis[1]


@pytest.mark.parametrize("name", ["Operation", "AccessChecks"])
def test_what_both_bring_is_given_the_same(name: str) -> None:
    """But for the network and the API that is not there."""
    given = [one[name]["Properties"]["Parameters"] for one in (PRIVATE, REGIONAL)]
    differing = {"ReferenceApi", "ClaimsApiUrl", "ClaimsApiId", "SubnetIds", "SecurityGroupIds"}
    private, regional = ({k: v for k, v in one.items() if k not in differing} for one in given)
    assert regional == private
    assert given[1].keys() <= given[0].keys()


def test_the_notifier_calls_the_api_as_anybody_does(regional: Any) -> None:
    """By its own name, and signed."""
    variables = regional.properties("NotifierFunction")["Environment"]["Variables"]
    url = "https://ClaimsApi.execute-api.us-east-1.amazonaws.com/test"
    assert variables["CLAIMS_API_URL"] == regional.outputs["ClaimsApiUrl"]["Value"] == url
    assert "CLAIMS_API_ID" not in variables
