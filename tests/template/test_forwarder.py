"""From public to private: who reaches what through the forwarder, in both kinds of API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
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
    "PartnerQuota": "0",
    "PartnerRate": "0",
    "PartnerBurst": "0",
}


@pytest.fixture(scope="module")
def rest(forwarder_with: Callable[..., Any]) -> Any:
    """In front of a private API."""
    return forwarder_with(**INSIDE)


@pytest.fixture(scope="module")
def plain(forwarder_with: Callable[..., Any]) -> Any:
    """In front of a backend in the network."""
    return forwarder_with(**PLAIN)


@pytest.fixture(scope="module")
def http(forwarder_with: Callable[..., Any]) -> Any:
    """The HTTP API."""
    return forwarder_with(**{**INSIDE, **HTTP})


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


def test_partners_need_a_key(rest: Any) -> None:
    """For every verb; there is no other route."""
    found = {
        (verb, path): method.get("security") for verb, path, method in methods(definition(rest))
    }
    assert found == {
        ("X-AMAZON-APIGATEWAY-ANY-METHOD", "/partner/{path+}"): [{"api_key": []}],
    }


def test_only_listed_addresses_are_let_in(rest: Any) -> None:
    """By an Allow: a path that nobody thought of is allowed to nobody."""
    (one,) = definition(rest)["x-amazon-apigateway-policy"]["Statement"]
    assert (one["Effect"], one["Resource"]) == ("Allow", "execute-api:/dev/*/partner/*")
    assert one["Condition"] == {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}


def test_bodies_are_bytes(rest: Any) -> None:
    """Whatever their type."""
    assert definition(rest)["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_rates_are_those_of_the_parameters(forwarder_with: Callable[..., Any]) -> None:
    """For the stage and for a partner, with its quota."""
    stack = forwarder_with(
        **INSIDE,
        StageRate="7",
        StageBurst="8",
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
    ] == [("*", "/*", 7, 8)]
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
    """With no right to anything."""
    role = plain.properties("ForwarderFunctionRole")
    assert not role.get("Policies")
    variables = plain.properties("ForwarderFunction")["Environment"]["Variables"]
    assert variables["BACKEND_AUTHORIZATION"] == "NONE"
    assert egress(plain, "ForwarderSecurityGroup") == [(8443, "10.20.1.0/24")]
    assert list(definition(plain)["paths"]) == ["/partner/{path+}"]


def test_nothing_comes_in(rest: Any) -> None:
    """To the function."""
    assert "SecurityGroupIngress" not in rest.properties("ForwarderSecurityGroup")
    rules = rest.of_type("AWS::EC2::SecurityGroupIngress").values()
    assert "ForwarderSecurityGroup.GroupId" not in [rule["GroupId"] for rule in rules]


def test_an_http_api_asks_partners_to_sign(http: Any) -> None:
    """It has no keys."""
    body = definition(http)
    found = {(verb, path): method.get("security") for verb, path, method in methods(body)}
    assert found == {
        ("X-AMAZON-APIGATEWAY-ANY-METHOD", "/partner/{path+}"): [{"AWS_IAM": []}],
    }
    for _, _, method in methods(body):
        assert method["x-amazon-apigateway-integration"]["payloadFormatVersion"] == "2.0"
    kinds = {resource["Type"] for resource in http.resources.values()}
    assert not kinds & {
        "AWS::ApiGateway::ApiKey",
        "AWS::ApiGateway::UsagePlan",
        "Custom::ApiKeyValue",
    }


def test_a_call_costs_no_more_than_the_backend_takes() -> None:
    """The functions have three seconds more than a backend, and less than API Gateway waits."""
    template = load(ROOT / "stacks" / "forwarder.yaml")
    allowed = template["Parameters"]["BackendSeconds"]["AllowedValues"]
    timeouts = {name: one["Seconds"] for name, one in template["Mappings"]["Timeout"].items()}
    assert timeouts == {seconds: int(seconds) + 3 for seconds in allowed}
    assert max(timeouts.values()) < 29


@pytest.mark.parametrize("name", ["rest", "http"])
def test_the_first_call_that_fails_sets_off_an_alarm(
    name: str, request: pytest.FixtureRequest
) -> None:
    """With a quota there are few calls."""
    alarm = request.getfixturevalue(name).properties("ServerErrorsAlarm")
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)


def test_causes_that_somebody_must_mend_have_alarms_of_their_own(rest: Any, plain: Any) -> None:
    """By the metric of each phase; where nothing is granted, no grant can be missing."""
    for name, phase in (("UnreachableAlarm", "connect"), ("CertificateAlarm", "tls")):
        alarm = plain.properties(name)
        assert (alarm["Namespace"], alarm["MetricName"]) == ("Backstairs/Forwarder", "Failures")
        by = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        assert by == {"function": "ForwarderFunction", "phase": phase}
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
    assert "GrantAlarm" not in plain.resources
    assert {"Name": "phase", "Value": "api"} in rest.properties("GrantAlarm")["Dimensions"]


def test_what_partners_headers_become_is_told_to_the_function(
    forwarder_with: Callable[..., Any],
) -> None:
    """By its variables."""
    stack = forwarder_with(
        **INSIDE,
        DroppedHeaders="X-Tenant,X-Internal-*",
        CallerAuthorizationHeader="X-Partner-Authorization",
        PrivateDomains="corp.example.com",
    )
    variables = stack.properties("ForwarderFunction")["Environment"]["Variables"]
    assert variables["BACKEND_DROPPED_HEADERS"] == "X-Tenant,X-Internal-*"
    assert variables["BACKEND_CALLER_AUTHORIZATION"] == "X-Partner-Authorization"
    assert variables["BACKEND_PRIVATE_DOMAINS"] == "corp.example.com"


@pytest.mark.parametrize(
    ("keys", "valid", "handed_out"),
    [
        ("first", ["PartnerKey"], "PartnerKey"),
        ("first-second", ["PartnerKey", "PartnerSecondKey"], "PartnerSecondKey"),
        ("second", ["PartnerSecondKey"], "PartnerSecondKey"),
        ("second-first", ["PartnerKey", "PartnerSecondKey"], "PartnerKey"),
    ],
)
def test_a_key_is_changed_with_an_overlap(
    forwarder_with: Callable[..., Any], keys: str, valid: list[str], handed_out: str
) -> None:
    """Both are in the plan in between; the store may read both and hands out the new one."""
    stack = forwarder_with(**INSIDE, PartnerKeys=keys)
    assert sorted(stack.of_type("AWS::ApiGateway::ApiKey")) == valid
    in_plan = stack.of_type("AWS::ApiGateway::UsagePlanKey").values()
    assert sorted(one["KeyId"] for one in in_plan) == valid
    assert stack.properties("PartnerKeyValue")["ApiKeyId"] == handed_out
    readable, *_ = stack.properties("KeyStoreRole")["Policies"][0]["PolicyDocument"]["Statement"]
    assert [arn.rpartition("/")[2] for arn in readable["Resource"]] == valid


def test_the_first_keys_name_is_that_of_the_stacks_before(
    forwarder_with: Callable[..., Any],
) -> None:
    """Another name would be another key, and the partner's would end with the upgrade."""
    for generation in ("1", "3"):
        stack = forwarder_with(**INSIDE, PartnerKeyGeneration=generation)
        assert stack.properties("PartnerKey")["Name"] == f"stack-partner-{generation}"
        assert stack.properties("PartnerKeyValue")["ParameterName"] == "/stack/partner-api-key"


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
@pytest.mark.parametrize(
    ("stack", "name"), [("forwarder", "BackendGrants"), ("webhooks", "WebhookBackendGrants")]
)
def test_a_grant_names_stage_verb_and_path(
    stack: str, name: str, grants: str, *, fits: bool
) -> None:
    """Never a whole API."""
    parameters = load(ROOT / "stacks" / f"{stack}.yaml")["Parameters"]
    assert (re.fullmatch(parameters[name]["AllowedPattern"], grants) is not None) is fits
