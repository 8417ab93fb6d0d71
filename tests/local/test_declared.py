"""What integrations declare, as it is deployed: what is not modelled is not answered for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.access import Kind
from backstairs.account.apis import deployed_apis
from backstairs.account.client import Account as LocalAccount
from backstairs.gateway.integrations.declared import Declared, read_declared
from tests.local.test_emulator import Account
from tests.local.test_emulator_edge import http_api, rest_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.gateway.stage import StageSettings

Json = dict[str, Any]
INTEGRATION = "x-amazon-apigateway-integration"


@pytest.mark.parametrize(
    ("kind", "integration", "expected"),
    [
        (Kind.REST, {"type": "aws_proxy"}, Declared()),
        (Kind.REST, {"type": "AWS_PROXY", "timeoutInMillis": 3000}, Declared(seconds=3.0)),
        (Kind.REST, {"type": "AWS_PROXY", "timeoutInMillis": "3000"}, Declared(seconds=3.0)),
        (Kind.HTTP, {"IntegrationType": "AWS_PROXY", "RequestParameters": {}}, Declared()),
        (Kind.REST, {"type": "aws"}, "an integration of type aws is not modelled"),
        (Kind.REST, {}, "an integration of type unknown is not modelled"),
        (Kind.REST, {"type": "mock"}, "an integration of type mock is not modelled"),
        (
            Kind.HTTP,
            {"IntegrationType": "HTTP_PROXY"},
            "an integration of type HTTP_PROXY is not modelled",
        ),
        (
            Kind.REST,
            {"type": "aws_proxy", "requestParameters": {"integration.request.path.a": "x"}},
            "requestParameters of an integration: not modelled",
        ),
        (
            Kind.HTTP,
            {"IntegrationType": "AWS_PROXY", "ResponseParameters": {"200": {}}},
            "responseParameters of an integration: not modelled",
        ),
        (
            Kind.HTTP,
            {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "1.0"},
            "payload 1.0 of an HTTP API is not modelled",
        ),
        (
            Kind.REST,
            {"type": "aws_proxy", "timeoutInMillis": "soon"},
            "timeoutInMillis soon is no number",
        ),
    ],
)
def test_what_an_integration_declares(
    kind: Kind, integration: Json, expected: Declared | str
) -> None:
    """By the definition's names and by the account's; mappings would change what is sent."""
    read = read_declared(kind, integration)

    assert read == (Declared(expected) if isinstance(expected, str) else expected)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account of its own, killed at the end."""
    started = Account(tmp_path_factory.mktemp("state"))
    yield started
    started.process.kill()
    started.process.communicate()


def settings(account: Account, api_id: str) -> dict[str, StageSettings]:
    """The settings of an API's stages."""
    local = LocalAccount(f"http://127.0.0.1:{account.port}", "us-east-1")
    return {one.api.stage: one.settings for one in deployed_apis(local) if one.api.api_id == api_id}


@pytest.mark.parametrize("kind", ["rest", "http"])
@pytest.mark.parametrize(
    ("declared", "not_modelled", "timeouts"),
    [
        ({"timeoutInMillis": 1500}, [], [1.5]),
        ({"type": "http_proxy"}, ["type"], []),
        ({"requestParameters": {"overwrite:header.x": "y"}}, ["requestParameters"], []),
    ],
)
def test_what_is_deployed_says_it(
    account: Account, kind: str, declared: Json, not_modelled: list[str], timeouts: list[float]
) -> None:
    """Out of the definition, through the account, to the door's settings."""
    template = rest_api() if kind == "rest" else http_api("/partner/{path+}")
    body = template["Resources"]["Api"]["Properties"]["Body"]
    method = body["paths"]["/partner/{path+}"]["x-amazon-apigateway-any-method"]
    method[INTEGRATION] = {**method[INTEGRATION], **declared}
    name = f"declared-{kind}-{next(iter(declared)).lower()}"
    api_id = account.deploy(name, template)["Api"]

    (found,) = settings(account, api_id).values()

    assert len(found.not_modelled) == len(not_modelled)
    assert all(said in str(found.not_modelled) for said in not_modelled)
    if timeouts:
        assert list(found.timeouts.values()) == timeouts


def test_a_stage_without_auto_deploy_spoils_no_other(account: Account) -> None:
    """Only of it nothing is known, whichever is read first."""
    template = http_api("$default")
    manual: Json = {
        "Type": "AWS::ApiGatewayV2::Stage",
        "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "a-manual", "AutoDeploy": False},
    }
    automatic = {**manual, "Properties": {**manual["Properties"], "StageName": "z-automatic"}}
    automatic["Properties"]["AutoDeploy"] = True
    stages = {"Manual": manual, "Automatic": automatic}
    template["Resources"] = {
        "Api": template["Resources"]["Api"],
        **stages,
        "Stage": template["Resources"]["Stage"],
    }
    api_id = account.deploy("declared-stages", template)["Api"]

    found = {stage: bool(one.not_modelled) for stage, one in settings(account, api_id).items()}

    assert found == {"a-manual": True, "z-automatic": False, "$default": False}
