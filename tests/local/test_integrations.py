"""What integrations declare, as it is deployed: what is not modelled is not answered for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.access import Kind
from backstairs.account.apis import deployed_stages
from backstairs.account.client import Account as LocalAccount
from backstairs.gateway.integrations.integration import Integration, read_integration
from tests.local.test_emulator import Account
from tests.local.test_emulator_edge import http_api, rest_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.gateway.stage import Stage

Json = dict[str, Any]
INTEGRATION = "x-amazon-apigateway-integration"


@pytest.mark.parametrize(
    ("kind", "integration", "expected"),
    [
        (Kind.REST, {"type": "aws_proxy"}, Integration()),
        (Kind.REST, {"type": "AWS_PROXY", "timeoutInMillis": 3000}, Integration(timeout=3.0)),
        (Kind.REST, {"type": "AWS_PROXY", "timeoutInMillis": "3000"}, Integration(timeout=3.0)),
        (Kind.HTTP, {"IntegrationType": "AWS_PROXY", "RequestParameters": {}}, Integration()),
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
    kind: Kind, integration: Json, expected: Integration | str
) -> None:
    """By the definition's names and by the account's; mappings would change what is sent."""
    read = read_integration(kind, integration)

    assert read == (Integration(expected) if isinstance(expected, str) else expected)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account of its own, killed at the end."""
    started = Account(tmp_path_factory.mktemp("state"))
    yield started
    started.process.kill()
    started.process.communicate()


def stages(account: Account, api_id: str) -> dict[str, Stage]:
    """An API's stages by their names."""
    local = LocalAccount(f"http://127.0.0.1:{account.port}", "us-east-1")
    return {one.api.stage: one for one in deployed_stages(local) if one.api.api_id == api_id}


@pytest.mark.parametrize("kind", ["rest", "http"])
@pytest.mark.parametrize(
    ("declared", "not_modelled", "timeout"),
    [
        ({"timeoutInMillis": 1500}, None, 1.5),
        ({"type": "http_proxy"}, "type", None),
        ({"requestParameters": {"overwrite:header.x": "y"}}, "requestParameters", None),
    ],
)
def test_what_is_deployed_says_it(
    account: Account, kind: str, declared: Json, not_modelled: str | None, timeout: float | None
) -> None:
    """Out of the definition, through the account, to what is at the door."""
    template = rest_api() if kind == "rest" else http_api("/partner/{path+}")
    body = template["Resources"]["Api"]["Properties"]["Body"]
    method = body["paths"]["/partner/{path+}"]["x-amazon-apigateway-any-method"]
    method[INTEGRATION] = {**method[INTEGRATION], **declared}
    name = f"declared-{kind}-{next(iter(declared)).lower()}"
    api_id = account.deploy(name, template)["Api"]

    (found,) = stages(account, api_id).values()
    (method,) = found.methods

    assert (not_modelled or "") in (method.integration.why_not_modelled or "")
    assert bool(method.integration.why_not_modelled) == bool(not_modelled)
    assert method.integration.timeout == timeout


def test_a_stage_without_auto_deploy_spoils_no_other(account: Account) -> None:
    """Only of it nothing is known, whichever is read first."""
    template = http_api("$default")
    manual: Json = {
        "Type": "AWS::ApiGatewayV2::Stage",
        "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "a-manual", "AutoDeploy": False},
    }
    automatic = {**manual, "Properties": {**manual["Properties"], "StageName": "z-automatic"}}
    automatic["Properties"]["AutoDeploy"] = True
    template["Resources"] = {
        "Api": template["Resources"]["Api"],
        "Manual": manual,
        "Automatic": automatic,
        "Stage": template["Resources"]["Stage"],
    }
    api_id = account.deploy("declared-stages", template)["Api"]

    found = {
        stage: any(method.integration.why_not_modelled for method in one.methods)
        for stage, one in stages(account, api_id).items()
    }

    assert found == {"a-manual": True, "z-automatic": False, "$default": False}
