"""From public to private: who reaches what through the forwarder, in both kinds of API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from tests.template.checks import CHECKS
from tests.template.conftest import ROOT
from tests.template.test_access_models import methods

if TYPE_CHECKING:
    from collections.abc import Callable

GRANT = "arn:aws:execute-api:us-east-1:123456789012:*/dev/GET/claims/*"
NETWORK = {"VpcId": "vpc-0a", "SubnetIds": "subnet-0a,subnet-0b"}
INSIDE = {
    **NETWORK,
    "ExecuteApiEndpointSecurityGroupId": "sg-0e",
    "BackendUrl": "https://api-vpce-0a.execute-api.us-east-1.amazonaws.com/dev",
    "BackendGrants": GRANT,
    "PartnerAllowlist": "203.0.113.0/24,2001:db8::/32",
}
WEBHOOKS = {
    "WebhookBackendUrl": "https://backend.example/hooks",
    "WebhookBackendCidr": "10.20.0.0/24",
    "DynamoDBPrefixListId": "pl-02cd2c6b",
}
PLAIN = {
    **NETWORK,
    "BackendUrl": "https://backend.example:8443/v1",
    "BackendCidr": "10.20.1.0/24",
    "BackendPort": "8443",
    "PartnerAllowlist": "0.0.0.0/0",
}
HTTP = {
    "ApiType": "HTTP",
    "PartnerAllowlist": "0.0.0.0/0",
    "WebhookAllowlist": "0.0.0.0/0",
    "PartnerQuota": "0",
    "PartnerRate": "0",
    "PartnerBurst": "0",
}
GITHUB = [
    "192.30.252.0/22",
    "185.199.108.0/22",
    "140.82.112.0/20",
    "143.55.64.0/20",
    "2a0a:a440::/29",
    "2606:50c0::/32",
]


@pytest.fixture(scope="module")
def rest(forwarder_with: Callable[..., Any]) -> Any:
    """In front of a private API, with webhooks."""
    return forwarder_with(**INSIDE, **WEBHOOKS)


@pytest.fixture(scope="module")
def plain(forwarder_with: Callable[..., Any]) -> Any:
    """In front of a backend in the network, without webhooks."""
    return forwarder_with(**PLAIN)


@pytest.fixture(scope="module")
def http(forwarder_with: Callable[..., Any]) -> Any:
    """The HTTP API, with webhooks."""
    return forwarder_with(**{**INSIDE, **WEBHOOKS, **HTTP})


def definition(stack: Any) -> dict[str, Any]:
    """The definition of the stack's one API."""
    kinds = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
    ((_, api),) = [one for kind in kinds for one in stack.of_type(kind).items()]
    body: dict[str, Any] = api["Body"]
    return body


def egress(stack: Any, group: str) -> list[tuple[Any, ...]]:
    """Where a security group lets out to."""
    rules = stack.properties(group)["SecurityGroupEgress"]
    targets = ("CidrIp", "DestinationSecurityGroupId", "DestinationPrefixListId")
    return [
        (int(rule["FromPort"]), *(rule[name] for name in targets if name in rule)) for rule in rules
    ]


def test_partners_need_a_key_and_webhooks_cannot_have_one(rest: Any) -> None:
    """Two routes, every verb for partners, one for GitHub."""
    found = {
        (verb, path): method.get("security") for verb, path, method in methods(definition(rest))
    }
    assert found == {
        ("X-AMAZON-APIGATEWAY-ANY-METHOD", "/partner/{path+}"): [{"api_key": []}],
        ("POST", "/webhooks/github"): None,
    }


def test_each_path_has_its_own_addresses(rest: Any) -> None:
    """By Allows alone: a path that nobody thought of is allowed to nobody."""
    statements = definition(rest)["x-amazon-apigateway-policy"]["Statement"]
    assert [
        (one["Effect"], one["Resource"], one["Condition"]["IpAddress"]["aws:SourceIp"])
        for one in statements
    ] == [
        ("Allow", "execute-api:/dev/*/partner/*", ["203.0.113.0/24", "2001:db8::/32"]),
        ("Allow", "execute-api:/dev/POST/webhooks/github", GITHUB),
    ]


def test_bodies_are_bytes(rest: Any) -> None:
    """Whatever their type."""
    assert definition(rest)["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_rates_are_those_of_the_parameters(forwarder_with: Callable[..., Any]) -> None:
    """For the stage, for the webhooks' method, and for a partner, with its quota."""
    stack = forwarder_with(
        **INSIDE,
        **WEBHOOKS,
        StageRate="7",
        StageBurst="8",
        WebhookRate="3",
        WebhookBurst="4",
        PartnerRate="1",
        PartnerBurst="2",
        PartnerQuota="9",
    )
    (stage,) = stack.of_type("AWS::ApiGateway::Stage").values()
    assert [
        (
            one["HttpMethod"],
            one["ResourcePath"],
            int(one["ThrottlingRateLimit"]),
            int(one["ThrottlingBurstLimit"]),
        )
        for one in stage["MethodSettings"]
    ] == [("*", "/*", 7, 8), ("POST", "/~1webhooks~1github", 3, 4)]
    plan = stack.properties("PartnerPlan")
    assert plan["Throttle"] == {"RateLimit": "1", "BurstLimit": "2"}
    assert plan["Quota"] == {"Limit": "9", "Period": "DAY"}


def test_a_private_api_is_called_with_the_grants_given_and_no_others(rest: Any) -> None:
    """Through its endpoint alone."""
    (policy,) = rest.properties("ForwarderFunctionRole")["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": [GRANT]}
    ]
    variables = rest.properties("ForwarderFunction")["Environment"]["Variables"]
    assert variables["BACKEND_AUTHORIZATION"] == "AWS_IAM"
    assert egress(rest, "ForwarderSecurityGroup") == [(443, "sg-0e")]
    rule = rest.properties("ExecuteApiFromForwarderIngress")
    assert (rule["GroupId"], rule["SourceSecurityGroupId"], rule["FromPort"]) == (
        "sg-0e",
        "ForwarderSecurityGroup.GroupId",
        443,
    )


def test_a_backend_in_the_network_is_all_that_the_forwarder_reaches(plain: Any) -> None:
    """With no right to anything, and nothing of webhooks."""
    role = plain.properties("ForwarderFunctionRole")
    assert not role.get("Policies")
    variables = plain.properties("ForwarderFunction")["Environment"]["Variables"]
    assert variables["BACKEND_AUTHORIZATION"] == "NONE"
    assert egress(plain, "ForwarderSecurityGroup") == [(8443, "10.20.1.0/24")]
    assert not [name for name in plain.resources if "Webhook" in name or "Ssm" in name]
    assert list(definition(plain)["paths"]) == ["/partner/{path+}"]


def test_webhooks_reach_what_they_need(rest: Any) -> None:
    """Their backend, the endpoint of their secret, and DynamoDB by its prefix list."""
    assert egress(rest, "WebhooksSecurityGroup") == [
        (443, "10.20.0.0/24"),
        (443, "SsmEndpointSecurityGroup.GroupId"),
        (443, "pl-02cd2c6b"),
    ]
    assert (
        rest.properties("SsmFromWebhooksIngress")["GroupId"] == "SsmEndpointSecurityGroup.GroupId"
    )


def test_the_ssm_endpoint_takes_nothing_from_the_network(rest: Any) -> None:
    """Only the webhooks function goes there, by the endpoint's own name, for its secret alone."""
    endpoint = rest.properties("SsmEndpoint")
    assert endpoint["PrivateDnsEnabled"] is False
    (statement,) = endpoint["PolicyDocument"]["Statement"]
    assert statement["Action"] == "ssm:GetParameter"
    assert statement["Resource"].endswith(":parameter/stack/github-webhook-secret")
    variables = rest.properties("WebhooksFunction")["Environment"]["Variables"]
    assert variables["AWS_ENDPOINT_URL_SSM"] == "https://endpoint.example"


def test_a_network_with_an_ssm_endpoint_gets_no_second_one(
    forwarder_with: Callable[..., Any],
) -> None:
    """Two with private DNS cannot be in one network."""
    stack = forwarder_with(**INSIDE, **WEBHOOKS, SsmEndpointSecurityGroupId="sg-05")
    assert not stack.of_type("AWS::EC2::VPCEndpoint")
    variables = stack.properties("WebhooksFunction")["Environment"]["Variables"]
    assert "AWS_ENDPOINT_URL_SSM" not in variables
    assert (443, "sg-05") in egress(stack, "WebhooksSecurityGroup")
    assert stack.properties("SsmFromWebhooksIngress")["GroupId"] == "sg-05"


@pytest.mark.parametrize("name", ["ForwarderSecurityGroup", "WebhooksSecurityGroup"])
def test_nothing_comes_in(rest: Any, name: str) -> None:
    """To the functions."""
    assert "SecurityGroupIngress" not in rest.properties(name)
    rules = rest.of_type("AWS::EC2::SecurityGroupIngress").values()
    assert f"{name}.GroupId" not in [rule["GroupId"] for rule in rules]


def test_an_http_api_asks_partners_to_sign(http: Any) -> None:
    """It has no keys; webhooks are verified by their function in both."""
    body = definition(http)
    found = {(verb, path): method.get("security") for verb, path, method in methods(body)}
    assert found == {
        ("X-AMAZON-APIGATEWAY-ANY-METHOD", "/partner/{path+}"): [{"AWS_IAM": []}],
        ("POST", "/webhooks/github"): None,
    }
    for _, _, method in methods(body):
        assert method["x-amazon-apigateway-integration"]["payloadFormatVersion"] == "2.0"
    kinds = {resource["Type"] for resource in http.resources.values()}
    assert not kinds & {
        "AWS::ApiGateway::ApiKey",
        "AWS::ApiGateway::UsagePlan",
        "Custom::ApiKeyValue",
    }
    (stage,) = http.of_type("AWS::ApiGatewayV2::Stage").values()
    assert "POST /webhooks/github" in stage["RouteSettings"]


@pytest.mark.parametrize("name", ["rest", "plain", "http"])
def test_the_checks_find_what_cannot_be_otherwise(
    name: str, request: pytest.FixtureRequest
) -> None:
    """GitHub cannot sign as AWS does: its route asks for no signature at the API. No more."""
    stack = request.getfixturevalue(name)
    found = [finding for check in CHECKS.values() for finding in check(stack)]
    expected = ["PublicRestApi: POST /webhooks/github asks for no signature"]
    assert found == (expected if name == "rest" else [])


def test_a_call_costs_no_more_than_the_backend_takes() -> None:
    """The functions have three seconds more than a backend, and less than API Gateway waits."""
    template = load(ROOT / "stacks" / "forwarder.yaml")
    allowed = template["Parameters"]["BackendSeconds"]["AllowedValues"]
    timeouts = {name: one["Seconds"] for name, one in template["Mappings"]["Timeout"].items()}
    assert timeouts == {seconds: int(seconds) + 3 for seconds in allowed}
    assert max(timeouts.values()) < 29


@pytest.mark.parametrize("seconds", ["3", "6", "10", "20", "25"])
def test_a_webhook_ends_before_github_gives_up(
    forwarder_with: Callable[..., Any], seconds: str
) -> None:
    """After ten seconds; the backend has at most six of them."""
    function = forwarder_with(**INSIDE, **WEBHOOKS, BackendSeconds=seconds).properties(
        "WebhooksFunction"
    )
    assert function["Timeout"] < 10
    backend = int(function["Environment"]["Variables"]["BACKEND_SECONDS"])
    assert backend <= min(int(seconds), 6)
    assert backend + 2.5 <= function["Timeout"]


@pytest.mark.parametrize("name", ["rest", "http"])
def test_what_is_lost_sets_off_an_alarm(name: str, request: pytest.FixtureRequest) -> None:
    """The first 5xx, and the first webhook that was refused or not accepted."""
    stack = request.getfixturevalue(name)
    errors, lost = stack.properties("ServerErrorsAlarm"), stack.properties("LostWebhooksAlarm")
    for alarm in (errors, lost):
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
    (transformation,) = stack.properties("LostWebhooksFilter")["MetricTransformations"]
    assert transformation["MetricNamespace"] == lost["Namespace"]
    assert transformation["MetricName"] == lost["MetricName"]
    assert stack.properties("LostWebhooksFilter")["LogGroupName"] == "WebhooksLogGroup"


def test_metrics_go_by_the_name_that_the_alarms_know(rest: Any) -> None:
    """API Gateway takes an API's name from its definition."""
    assert definition(rest)["info"]["title"] == "stack-public"
    for name in ("ClientErrorsAlarm", "ServerErrorsAlarm"):
        assert {"Name": "ApiName", "Value": "stack-public"} in rest.properties(name)["Dimensions"]


@pytest.mark.parametrize(
    ("certificate", "fits"),
    [
        ("", True),
        ("-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n", True),
        ("-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----", True),
        ("-----BEGIN", False),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", False),
    ],
)
def test_a_private_authority_is_a_certificate(certificate: str, *, fits: bool) -> None:
    """Whole, in PEM, with spaces where the line breaks were or not."""
    parameters = load(ROOT / "stacks" / "forwarder.yaml")["Parameters"]
    assert (
        re.fullmatch(parameters["BackendCa"]["AllowedPattern"], certificate) is not None
    ) is fits


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://backend.example", True),
        ("http://10.20.1.5:8080/v1/things", True),
        ("https://backend.example/v1/../admin", False),
        ("https://backend.example/v1//things", False),
        ("https://backend.example/", False),
        ("https://user:secret@backend.example", False),
        ("https://backend.example/v1?x=1", False),
        ("https://backend.example/v1#x", False),
        ("ftp://backend.example", False),
        ("", False),
    ],
)
def test_the_backend_is_a_plain_url(url: str, *, fits: bool) -> None:
    """Without user, query or fragment."""
    parameters = load(ROOT / "stacks" / "forwarder.yaml")["Parameters"]
    assert (re.fullmatch(parameters["BackendUrl"]["AllowedPattern"], url) is not None) is fits


@pytest.mark.parametrize(
    ("grants", "fits"),
    [
        (GRANT, True),
        (f"{GRANT},{GRANT.replace('GET', 'POST')}", True),
        ("", True),
        ("arn:aws:execute-api:us-east-1:123456789012:*/dev/*/*", False),
        ("arn:aws:execute-api:us-east-1:123456789012:*/*", False),
        ("arn:aws:execute-api:us-east-1:123456789012:*/dev/GET/*", False),
        ("arn:aws:execute-api:us-east-1:123456789012:*/dev/*/?*", False),
        (f"{GRANT},{GRANT.replace('claims/*', '?*')}", False),
        (f"{GRANT}, {GRANT}", False),
        ("arn:aws:s3:::bucket", False),
    ],
)
@pytest.mark.parametrize("name", ["BackendGrants", "WebhookBackendGrants"])
def test_a_grant_names_stage_verb_and_path(name: str, grants: str, *, fits: bool) -> None:
    """Never a whole API."""
    parameters = load(ROOT / "stacks" / "forwarder.yaml")["Parameters"]
    assert (re.fullmatch(parameters[name]["AllowedPattern"], grants) is not None) is fits
