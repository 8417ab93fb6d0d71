"""What an organisation demands of the public stacks, and what their definitions must say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.template.cloudwatch import goes_off, of_api, watched
from tests.template.test_forwarder import HTTP, INSIDE, definition
from tests.template.test_placement import refusals
from tests.template.test_vpc_link import BALANCER
from tests.template.test_webhooks import INSIDE as WEBHOOKS
from tests.template.test_webhooks import STRIPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINK = {
    "VpcId": "vpc-0a",
    "SubnetIds": "subnet-0a,subnet-0b",
    "LoadBalancerArn": BALANCER,
    "LoadBalancerSecurityGroupId": "sg-0b",
    "BackendName": "backend.example",
    "PartnerAllowlist": "203.0.113.0/24",
}
BACKEND = {"ExecuteApiEndpointId": "vpce-0f0e0d0c", "BackendUrl": "https://backend.example/v1"}
BOUNDARY = "arn:aws:iam::123456789012:policy/Boundary"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-0000-0000-000000000000"
WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/ours/0a1b2c3d"
LOGGED = {"AccessLogging": "true"}
DEMANDED = {
    "PermissionsBoundaryArn": BOUNDARY,
    "KmsKeyArn": KEY,
    "LogLevel": "WARN",
    "LogRetentionDays": "365",
}


@pytest.fixture(scope="module", params=["forwarder", "http forwarder", "webhooks", "partner"])
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Each public stack that has functions, deployed with what is given besides."""
    kind, _, name = request.param.rpartition(" ")
    deploy = request.getfixturevalue(f"{name}_with")
    given = {
        "forwarder": INSIDE | LOGGED | (HTTP if kind else {}),
        "webhooks": WEBHOOKS | STRIPE | LOGGED,
        "partner": {"ApiStackName": "network"},
    }[name]
    return lambda **more: deploy(**given, **more)


def test_what_is_demanded_holds_for_every_role_function_and_log(make: Callable[..., Any]) -> None:
    """The boundary on each role, the level of each function, retention and key of each log."""
    stack = make(**DEMANDED)
    roles = stack.of_type("AWS::IAM::Role")
    assert roles
    assert {role["PermissionsBoundary"] for role in roles.values()} == {BOUNDARY}
    functions = stack.of_type("AWS::Lambda::Function")
    levels = {one["LoggingConfig"]["ApplicationLogLevel"] for one in functions.values()}
    assert levels == {"WARN"}
    groups = stack.of_type("AWS::Logs::LogGroup")
    # Who called what is kept for a week.
    kept = {name: str(group["RetentionInDays"]) for name, group in groups.items()}
    assert {kept.pop("AccessLogGroup", "7"), *kept.values()} == {"7", "365"}
    assert {group["KmsKeyId"] for group in groups.values()} == {KEY}
    for table in stack.of_type("AWS::DynamoDB::Table").values():
        assert table["SSESpecification"]["KMSMasterKeyId"] == KEY


def test_nothing_is_demanded_by_default(make: Callable[..., Any]) -> None:
    """Neither boundary nor key, and fourteen days of INFO."""
    stack = make()
    assert all("PermissionsBoundary" not in one for one in stack.of_type("AWS::IAM::Role").values())
    for function in stack.of_type("AWS::Lambda::Function").values():
        assert function["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    for name, group in stack.of_type("AWS::Logs::LogGroup").items():
        assert "KmsKeyId" not in group
        assert str(group["RetentionInDays"]) == ("7" if name == "AccessLogGroup" else "14")
    assert not stack.of_type("AWS::WAFv2::WebACLAssociation")


@pytest.mark.parametrize("name", ["forwarder", "webhooks", "vpc_link"])
def test_a_web_acl_stands_before_the_apis_stage(name: str, request: pytest.FixtureRequest) -> None:
    """Of a REST API, which alone can have one."""
    given = {"forwarder": INSIDE, "webhooks": WEBHOOKS | STRIPE, "vpc_link": LINK}[name]
    stack = request.getfixturevalue(f"{name}_with")(**given, WebAclArn=WEB_ACL)
    (api_id,) = stack.of_type("AWS::ApiGateway::RestApi")
    (association,) = stack.of_type("AWS::WAFv2::WebACLAssociation").values()
    (stage_id,) = stack.of_type("AWS::ApiGateway::Stage")
    assert association == {
        "WebACLArn": WEB_ACL,
        "ResourceArn": f"arn:aws:apigateway:us-east-1::/restapis/{api_id}/stages/{stage_id}",
    }


@pytest.mark.parametrize("name", ["forwarder", "webhooks"])
def test_a_web_acl_that_could_not_be_kept_is_refused(
    name: str, request: pytest.FixtureRequest
) -> None:
    """Before an HTTP API, with a message that names the parameter."""
    given = INSIDE if name == "forwarder" else WEBHOOKS | STRIPE
    template = request.getfixturevalue(f"{name}_with")(**given).template
    ((condition, assertion),) = (
        (rule["RuleCondition"], one)
        for rule in template["Rules"].values()
        for one in rule["Assertions"]
        if "AWS WAF" in one["AssertDescription"]
    )
    rule = {"RuleCondition": condition, "Assertions": [assertion]}
    alone = template | {"Rules": {"WebAcl": rule}}
    (message,) = refusals(alone, {"ApiType": "HTTP", "WebAclArn": WEB_ACL})
    assert "WebAclArn" in message
    assert refusals(alone, {"ApiType": "HTTP"}) == []
    assert refusals(alone, {"WebAclArn": WEB_ACL}) == []


def test_a_private_api_is_reached_by_its_endpoints_name_too(
    forwarder_with: Callable[..., Any], webhooks_with: Callable[..., Any]
) -> None:
    """With the API's id in a header: nothing hangs on the API's alias alone."""
    url = "https://vpce-0a.execute-api.us-east-1.vpce.amazonaws.com/dev"
    forwarder = forwarder_with(**INSIDE | {"BackendUrl": url, "BackendApiId": "a1b2c3d4e5"})
    given = WEBHOOKS | STRIPE | {"WebhookBackendUrl": url, "WebhookBackendApiId": "a1b2c3d4e5"}
    webhooks = webhooks_with(**given)
    for stack, function in ((forwarder, "ForwarderFunction"), (webhooks, "WebhooksFunction")):
        variables = stack.properties(function)["Environment"]["Variables"]
        assert (variables["BACKEND_URL"], variables["BACKEND_ID"]) == (url, "a1b2c3d4e5")


@pytest.mark.parametrize("name", ["forwarder", "partner"])
def test_a_key_that_was_not_stored_sets_off_an_alarm(
    name: str, request: pytest.FixtureRequest
) -> None:
    """One error of the function that stores it is enough; none is quiet."""
    given = INSIDE if name == "forwarder" else {"ApiStackName": "network"}
    alarm = request.getfixturevalue(f"{name}_with")(**given).properties("KeyStoreErrorsAlarm")
    assert dict(watched(alarm)[2]) == {"FunctionName": "KeyStoreFunction"}
    assert goes_off(alarm, {watched(alarm): [[0.0], [1.0]]})
    assert not goes_off(alarm, {watched(alarm): [[1.0], [0.0]]})


@pytest.mark.parametrize("name", ["forwarder", "webhooks", "vpc_link", "http_backend"])
def test_each_alarm_of_a_public_stack_goes_off_on_its_numbers(
    name: str, request: pytest.FixtureRequest
) -> None:
    """In all its periods, above its threshold and not below; nor once as many were quiet."""
    given = {
        "forwarder": INSIDE | LOGGED,
        "webhooks": WEBHOOKS | STRIPE | LOGGED,
        "vpc_link": LINK,
        "http_backend": BACKEND,
    }[name]
    alarms = request.getfixturevalue(f"{name}_with")(**given).of_type("AWS::CloudWatch::Alarm")
    assert alarms
    for alarm_id, alarm in alarms.items():
        threshold = float(alarm["Threshold"])
        quiet = [[0.0]] * (int(alarm["Period"]) // 60 - 1)
        periods = int(alarm["EvaluationPeriods"])
        trouble = [[threshold + 1], *quiet] * periods
        assert goes_off(alarm, {watched(alarm): trouble}), alarm_id
        assert not goes_off(alarm, {watched(alarm): [[threshold - 1], *quiet] * periods}), alarm_id
        over = [*trouble, *([[0.0]] * len(trouble))]
        assert not goes_off(alarm, {watched(alarm): over}), alarm_id


@pytest.mark.parametrize("name", ["vpc_link", "http_backend"])
def test_an_api_without_a_function_is_watched(name: str, request: pytest.FixtureRequest) -> None:
    """Its refusals and its failures, by the name and stage under which API Gateway counts them."""
    given = LINK if name == "vpc_link" else BACKEND
    stack = request.getfixturevalue(f"{name}_with")(**given)
    (api,) = stack.of_type("AWS::ApiGateway::RestApi").values()
    alarms = stack.of_type("AWS::CloudWatch::Alarm").values()
    for metric_name in ("4XXError", "5XXError"):
        published = of_api(metric_name, api, "dev", [[1000.0]])
        assert any(goes_off(alarm, published) for alarm in alarms), metric_name


def integrations(body: Any) -> Iterator[dict[str, Any]]:
    """The integrations of a definition."""
    for methods in body.get("paths", {}).values():
        for method in methods.values():
            if isinstance(method, dict) and "x-amazon-apigateway-integration" in method:
                yield method["x-amazon-apigateway-integration"]


@pytest.mark.parametrize("seconds", ["3", "6", "10", "20", "29"])
def test_a_timeout_is_a_number_in_the_definition(
    vpc_link_with: Callable[..., Any], seconds: str
) -> None:
    """As OpenAPI's extension has it; a parameter put into text would be text."""
    (integration,) = integrations(definition(vpc_link_with(**LINK, BackendSeconds=seconds)))
    assert integration["timeoutInMillis"] == int(seconds) * 1000


@pytest.mark.parametrize("name", ["forwarder", "webhooks", "vpc_link", "http_backend"])
def test_metrics_go_by_one_name(name: str, request: pytest.FixtureRequest) -> None:
    """The API's Name and its definition's title are the same: it cannot matter which one wins."""
    given = {
        "forwarder": INSIDE,
        "webhooks": WEBHOOKS | STRIPE,
        "vpc_link": LINK,
        "http_backend": BACKEND,
    }[name]
    stack = request.getfixturevalue(f"{name}_with")(**given)
    (api,) = stack.of_type("AWS::ApiGateway::RestApi").values()
    assert api["Name"] == api["Body"]["info"]["title"]
