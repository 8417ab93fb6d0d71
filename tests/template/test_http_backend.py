"""An https backend behind IAM, without a function in between."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from tests.template.conftest import ROOT
from tests.template.test_access_models import methods

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def backend(http_backend_with: Callable[..., Any]) -> Any:
    """The stack in front of a made-up backend."""
    return http_backend_with(
        ExecuteApiEndpointId="vpce-0f0e0d0c", BackendUrl="https://backend.example/v1"
    )


def test_every_verb_and_path_is_signed(backend: Any) -> None:
    """One route for all of them; grants tell them apart by the request's own verb and path."""
    ((verb, path, method),) = methods(backend.properties("BackendApi")["Body"])
    assert (verb, path) == ("X-AMAZON-APIGATEWAY-ANY-METHOD", "/backend/{path+}")
    assert method["security"] == [{"AWS_IAM": []}]


def test_the_policy_only_denies(backend: Any) -> None:
    """Other endpoints and other accounts, as for the claims API."""
    statements = backend.properties("BackendApi")["Body"]["x-amazon-apigateway-policy"]["Statement"]
    assert [one["Condition"] for one in statements] == [
        {"StringNotEquals": {"aws:SourceVpce": "vpce-0f0e0d0c"}},
        {"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}},
    ]


def test_the_backend_gets_the_path_and_no_credentials(backend: Any) -> None:
    """Over https; who called comes from API Gateway, whatever the caller says."""
    ((_, _, method),) = methods(backend.properties("BackendApi")["Body"])
    integration = method["x-amazon-apigateway-integration"]
    assert integration["type"] == "http_proxy"
    assert integration["uri"] == "https://backend.example/v1/{path}"
    assert "credentials" not in integration
    assert integration["requestParameters"]["integration.request.path.path"] == (
        "method.request.path.path"
    )
    headers = overwritten(integration)
    assert headers["x-caller-arn"] == "context.identity.userArn"
    assert headers["authorization"] == headers["x-amz-security-token"] == "'-'"


def overwritten(integration: dict[str, Any]) -> dict[str, str]:
    """The headers that an integration sets, by their lower-case names."""
    prefix = "integration.request.header."
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in integration["requestParameters"].items()
        if name.startswith(prefix)
    }


def test_a_caller_cannot_say_who_it_is_in_anothers_name(
    backend: Any, vpc_link_with: Callable[..., Any]
) -> None:
    """Both APIs without a function overwrite the same headers; only who called is not fixed."""
    link = vpc_link_with(
        VpcId="vpc-0a",
        SubnetIds="subnet-0a",
        LoadBalancerArn="arn",
        LoadBalancerSecurityGroupId="sg-0b",
        BackendName="backend.example",
        PartnerAllowlist="0.0.0.0/0",
    )
    found = []
    for stack, api in ((backend, "BackendApi"), (link, "PublicApi")):
        ((_, _, method),) = methods(stack.properties(api)["Body"])
        found.append(overwritten(method["x-amazon-apigateway-integration"]))
    by_signature, by_key = found
    own = {"authorization", "x-amz-security-token", "x-api-key"}
    assert by_signature.keys() - own == by_key.keys() - own
    assert {name: value for name, value in by_signature.items() if value != "'-'"} == {
        "x-caller-arn": "context.identity.userArn"
    }
    assert {name: value for name, value in by_key.items() if value != "'-'"} == {
        "x-caller-key-id": "context.identity.apiKeyId"
    }
    for name in ("x-remote-user", "x-auth-request-email", "x-ssl-client-verify", "x-real-ip"):
        assert name in by_key
    for name in ("x-amzn-oidc-identity", "x-consumer-username", "x-forwarded-user"):
        assert name in by_signature


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://backend.example", True),
        ("https://backend.example:8443/v1/things", True),
        ("http://backend.example", False),
        ("https://backend.example/", False),
        ("https://user:secret@backend.example", False),
        ("https://backend.example/v1?x=1", False),
        ("https://", False),
    ],
)
def test_the_backend_is_an_https_url(url: str, *, fits: bool) -> None:
    """Without user, query or fragment."""
    parameters = load(ROOT / "stacks" / "http-backend.yaml")["Parameters"]
    pattern = parameters["BackendUrl"]["AllowedPattern"]
    assert (re.fullmatch(pattern, url) is not None) is fits
