"""The two access models, as SAM's translation leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUTES = {
    ("GET", "/members/{memberId}"),
    ("GET", "/claims/{memberId}"),
    ("POST", "/claims/{memberId}"),
    ("GET", "/claims/{memberId}/{claimId}"),
    ("PUT", "/claims/{memberId}/{claimId}"),
    ("DELETE", "/claims/{memberId}/{claimId}"),
}


def methods(body: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Verb, path and definition of every method."""
    for path, verbs in body["paths"].items():
        for verb, method in verbs.items():
            yield verb.upper(), path, method


def test_both_apis_are_private_behind_the_endpoint(application: Any, endpoint: str) -> None:
    """PRIVATE, and associated with the one endpoint of the placement."""
    apis = application.of_type("AWS::ApiGateway::RestApi")
    assert apis.keys() == {"ClaimsApi", "ReferenceApi"}
    for api in apis.values():
        assert api["EndpointConfiguration"] == {"Types": ["PRIVATE"], "VpcEndpointIds": [endpoint]}


def test_the_claims_api_denies_and_allows_nothing(application: Any, endpoint: str) -> None:
    """Two Denies, on everything, for everyone: other endpoints, other accounts."""
    policy = application.properties("ClaimsApi")["Body"]["x-amazon-apigateway-policy"]
    everything = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*",
    }
    assert policy["Statement"] == [
        everything | {"Condition": {"StringNotEquals": {"aws:SourceVpce": endpoint}}},
        everything | {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}}},
    ]


def test_every_method_of_the_claims_api_is_signed(application: Any) -> None:
    """AWS_IAM on each route, and the function is not called with the caller's credentials."""
    body = application.properties("ClaimsApi")["Body"]
    scheme = body["components"]["securitySchemes"]["AWS_IAM"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert {(verb, path) for verb, path, _ in methods(body)} == ROUTES
    for _, _, method in methods(body):
        assert method["security"] == [{"AWS_IAM": []}]
        assert "credentials" not in method["x-amazon-apigateway-integration"]


def test_the_reference_api_lets_in_the_endpoint_alone(application: Any, endpoint: str) -> None:
    """An Allow for everyone, and a Deny for whoever comes another way."""
    policy = application.properties("ReferenceApi")["Body"]["x-amazon-apigateway-policy"]
    everything = {
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": ["execute-api:/test/GET/claim-types"],
    }
    assert policy["Statement"] == [
        everything | {"Effect": "Allow"},
        everything
        | {
            "Effect": "Deny",
            "Condition": {"StringNotEquals": {"aws:SourceVpce": [endpoint]}},
        },
    ]


def test_the_reference_api_only_reads_and_asks_for_no_identity(application: Any) -> None:
    """One GET, without an authorizer."""
    ((verb, path, method),) = methods(application.properties("ReferenceApi")["Body"])
    assert (verb, path) == ("GET", "/claim-types")
    assert not method.get("security")


def test_there_is_one_stage_by_name(application: Any) -> None:
    """The parameter names it; SAM adds no stage of its own."""
    stages = application.of_type("AWS::ApiGateway::Stage")
    assert [stage["StageName"] for stage in stages.values()] == ["test", "test"]
    for deployment in application.of_type("AWS::ApiGateway::Deployment").values():
        assert "StageName" not in deployment


def test_functions_can_be_called_by_their_own_route_alone(application: Any) -> None:
    """Each permission names API, verb and path, and the alias that the API calls."""
    permissions = application.of_type("AWS::Lambda::Permission")
    assert len(permissions) == len(ROUTES) + 1
    for permission in permissions.values():
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert permission["FunctionName"].endswith("Aliaslive")
        _, _, resource = permission["SourceArn"].rpartition(":")
        api, _, verb, *path = resource.split("/")
        assert api in ("ClaimsApi", "ReferenceApi")
        assert verb in ("GET", "POST", "PUT", "DELETE")
        assert path[0] in ("claims", "members", "claim-types")
