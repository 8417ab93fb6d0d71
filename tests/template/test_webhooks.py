"""The webhooks of one provider, in both kinds of API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from forwarder.providers import PROVIDERS

from backstairs.template.load import load
from tests.template.conftest import ROOT
from tests.template.test_access_models import methods
from tests.template.test_forwarder import NETWORK, definition, egress

if TYPE_CHECKING:
    from collections.abc import Callable

GRANT = "arn:aws:execute-api:us-east-1:123456789012:*/dev/POST/hooks/*"
PLAIN = {
    **NETWORK,
    "DynamoDBPrefixListId": "pl-02cd2c6b",
    "WebhookBackendUrl": "https://backend.example/hooks",
    "WebhookBackendCidr": "10.20.0.0/24",
}
INSIDE = {
    **NETWORK,
    "DynamoDBPrefixListId": "pl-02cd2c6b",
    "ExecuteApiEndpointSecurityGroupId": "sg-0e",
    "WebhookBackendUrl": "https://api-vpce-0a.execute-api.us-east-1.amazonaws.com/dev/hooks",
    "WebhookBackendGrants": GRANT,
}
HTTP = {"ApiType": "HTTP", "WebhookAllowlist": "0.0.0.0/0"}
GITHUB = [
    "192.30.252.0/22",
    "185.199.108.0/22",
    "140.82.112.0/20",
    "143.55.64.0/20",
    "2a0a:a440::/29",
    "2606:50c0::/32",
]
STRIPE = {"Provider": "stripe", "WebhookAllowlist": "3.18.12.63/32"}


@pytest.fixture(scope="module")
def rest(webhooks_with: Callable[..., Any]) -> Any:
    """GitHub's, to a backend in the network, with an access log."""
    return webhooks_with(**PLAIN, AccessLogging="true")


@pytest.fixture(scope="module")
def signing(webhooks_with: Callable[..., Any]) -> Any:
    """Stripe's, to a private API."""
    return webhooks_with(**INSIDE, **STRIPE)


@pytest.fixture(scope="module")
def http(webhooks_with: Callable[..., Any]) -> Any:
    """GitHub's, by an HTTP API."""
    return webhooks_with(**PLAIN, **HTTP)


def test_the_providers_are_those_of_the_table() -> None:
    """What the function knows can be deployed, and nothing else."""
    allowed = load(ROOT / "stacks" / "webhooks.yaml")["Parameters"]["Provider"]["AllowedValues"]
    assert sorted(allowed) == sorted(PROVIDERS)


@pytest.mark.parametrize("name", ["rest", "signing", "http"])
def test_there_is_one_route_and_no_key(name: str, request: pytest.FixtureRequest) -> None:
    """No provider can send one."""
    ((verb, path, method),) = methods(definition(request.getfixturevalue(name)))
    assert (verb, path, method.get("security")) == ("POST", "/webhooks/{provider}", None)


@pytest.mark.parametrize(
    ("name", "path", "addresses"),
    [("rest", "github", GITHUB), ("signing", "stripe", ["3.18.12.63/32"])],
)
def test_only_the_providers_own_path_is_open_to_its_addresses(
    name: str, path: str, addresses: list[str], request: pytest.FixtureRequest
) -> None:
    """Another provider's path is allowed to nobody."""
    body = definition(request.getfixturevalue(name))
    (one,) = body["x-amazon-apigateway-policy"]["Statement"]
    assert one["Effect"] == "Allow"
    assert one["Resource"] == f"execute-api:/dev/POST/webhooks/{path}"
    assert one["Condition"] == {"IpAddress": {"aws:SourceIp": addresses}}


def test_bodies_are_bytes(rest: Any) -> None:
    """What is signed is what came."""
    assert definition(rest)["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_a_matrix_of_256_jobs_gets_through(rest: Any, http: Any) -> None:
    """Two webhooks for each at once, and three in the minute after."""
    (stage,) = rest.of_type("AWS::ApiGateway::Stage").values()
    (settings,) = stage["MethodSettings"]
    (http_stage,) = http.of_type("AWS::ApiGatewayV2::Stage").values()
    for one in (settings, http_stage["DefaultRouteSettings"]):
        assert int(one["ThrottlingBurstLimit"]) >= 2 * 256
        assert int(one["ThrottlingRateLimit"]) * 60 >= 5 * 256
    assert int(rest.properties("WebhooksCostAlarm")["Threshold"]) >= 5 * 256


def test_webhooks_reach_what_they_need(rest: Any, signing: Any) -> None:
    """Their backend, the endpoint of their secret, and DynamoDB by its prefix list."""
    ssm = (443, "SsmEndpointSecurityGroup.GroupId")
    table = (443, "pl-02cd2c6b")
    assert egress(rest, "WebhooksSecurityGroup") == [(443, "10.20.0.0/24"), ssm, table]
    assert egress(signing, "WebhooksSecurityGroup") == [(443, "sg-0e"), ssm, table]
    rules = signing.of_type("AWS::EC2::SecurityGroupIngress")
    assert {one["GroupId"] for one in rules.values()} == {
        "sg-0e",
        "SsmEndpointSecurityGroup.GroupId",
    }


def test_nothing_comes_in(rest: Any) -> None:
    """To the function."""
    assert "SecurityGroupIngress" not in rest.properties("WebhooksSecurityGroup")
    rules = rest.of_type("AWS::EC2::SecurityGroupIngress").values()
    assert "WebhooksSecurityGroup.GroupId" not in [rule["GroupId"] for rule in rules]


def test_a_role_is_granted_what_the_code_calls(signing: Any) -> None:
    """Its secret, its table, and the routes given."""
    (policy,) = signing.properties("WebhooksFunctionRole")["Policies"]
    secret, table, grant = policy["PolicyDocument"]["Statement"]
    assert secret["Action"] == "ssm:GetParameter"
    assert secret["Resource"].endswith(":parameter/stack/stripe-webhook-secret")
    assert table["Action"] == ["dynamodb:DeleteItem", "dynamodb:PutItem"]
    assert table["Resource"] == "DeliveriesTable.Arn"
    assert (grant["Action"], grant["Resource"]) == ("execute-api:Invoke", [GRANT])
    variables = signing.properties("WebhooksFunction")["Environment"]["Variables"]
    assert variables["BACKEND_AUTHORIZATION"] == "AWS_IAM"
    assert variables["PROVIDER"] == "stripe"
    assert variables["WEBHOOK_SECRET_PARAMETER"] == "/stack/stripe-webhook-secret"


def test_the_ssm_endpoint_takes_nothing_from_the_network(rest: Any) -> None:
    """Only the function goes there, by the endpoint's own name, for its secret alone."""
    endpoint = rest.properties("SsmEndpoint")
    assert endpoint["PrivateDnsEnabled"] is False
    (statement,) = endpoint["PolicyDocument"]["Statement"]
    assert statement["Action"] == "ssm:GetParameter"
    assert statement["Resource"].endswith(":parameter/stack/github-webhook-secret")
    variables = rest.properties("WebhooksFunction")["Environment"]["Variables"]
    assert variables["AWS_ENDPOINT_URL_SSM"] == "https://endpoint.example"


def test_a_network_with_an_ssm_endpoint_gets_no_second_one(
    webhooks_with: Callable[..., Any],
) -> None:
    """Two with private DNS cannot be in one network."""
    stack = webhooks_with(**PLAIN, SsmEndpointSecurityGroupId="sg-05")
    assert not stack.of_type("AWS::EC2::VPCEndpoint")
    variables = stack.properties("WebhooksFunction")["Environment"]["Variables"]
    assert "AWS_ENDPOINT_URL_SSM" not in variables
    assert (443, "sg-05") in egress(stack, "WebhooksSecurityGroup")
    assert stack.properties("SsmFromWebhooksIngress")["GroupId"] == "sg-05"


def test_a_webhook_ends_before_github_gives_up() -> None:
    """After ten seconds; the backend's time and what storing takes are within the function's."""
    template = load(ROOT / "stacks" / "webhooks.yaml")
    timeout = template["Resources"]["WebhooksFunction"]["Properties"]["Timeout"]
    assert timeout < 10
    assert template["Parameters"]["BackendSeconds"]["MaxValue"] + 2.5 <= timeout


@pytest.mark.parametrize("name", ["rest", "http"])
def test_what_never_reaches_the_function_sets_off_an_alarm(
    name: str, request: pytest.FixtureRequest
) -> None:
    """The first 429, 413 or 403: by the method's own metric, which a REST API is told to keep."""
    stack = request.getfixturevalue(name)
    alarm = stack.properties("RefusedWebhooksAlarm")
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    by = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    if name == "http":
        assert (alarm["MetricName"], by) == ("4xx", {"ApiId": "PublicHttpApi", "Stage": "dev"})
        return
    ((verb, path, _),) = methods(definition(stack))
    title = definition(stack)["info"]["title"]
    assert alarm["MetricName"] == "4XXError"
    assert by == {"ApiName": title, "Method": verb, "Resource": path, "Stage": "dev"}
    (stage,) = stack.of_type("AWS::ApiGateway::Stage").values()
    assert [one["MetricsEnabled"] for one in stage["MethodSettings"]] == [True]


@pytest.mark.parametrize("name", ["rest", "http"])
def test_what_the_function_or_the_backend_refuses_sets_off_an_alarm(
    name: str, request: pytest.FixtureRequest
) -> None:
    """The first one, by its line; the first 5xx, also where there is no line."""
    stack = request.getfixturevalue(name)
    lost = stack.properties("LostWebhooksAlarm")
    for alarm in (lost, stack.properties("ServerErrorsAlarm")):
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
    (transformation,) = stack.properties("LostWebhooksFilter")["MetricTransformations"]
    assert transformation["MetricNamespace"] == lost["Namespace"]
    assert transformation["MetricName"] == lost["MetricName"]
    assert stack.properties("LostWebhooksFilter")["LogGroupName"] == "WebhooksLogGroup"


def test_addresses_that_are_not_listed_any_more_set_off_an_alarm_of_their_own(
    rest: Any, http: Any, signing: Any
) -> None:
    """With an access log, which says from where; an HTTP API has no list."""
    alarm, refused = (
        rest.properties(name) for name in ("RefusedAddressesAlarm", "RefusedAddressesFilter")
    )
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
    (transformation,) = refused["MetricTransformations"]
    assert transformation["MetricNamespace"] == alarm["Namespace"]
    assert transformation["MetricName"] == alarm["MetricName"]
    assert refused["LogGroupName"] == "AccessLogGroup"
    ((_, path, _),) = methods(definition(rest))
    assert refused["FilterPattern"] == f'{{ $.status = "403" && $.route = "{path}" }}'
    (stage,) = rest.of_type("AWS::ApiGateway::Stage").values()
    log = stage["AccessLogSetting"]["Format"]
    assert '"status": "$context.status"' in log
    assert '"route": "$context.resourcePath"' in log
    assert "RefusedAddressesAlarm" not in http.resources | signing.resources


def test_what_holds_data_is_called_as_in_the_stacks_before(rest: Any) -> None:
    """One stack held partners and webhooks; CloudFormation moves resources by their logical ids."""
    assert list(rest.of_type("AWS::DynamoDB::Table")) == ["DeliveriesTable"]
    assert set(rest.of_type("AWS::Logs::LogGroup")) == {"WebhooksLogGroup", "AccessLogGroup"}
    variables = rest.properties("WebhooksFunction")["Environment"]["Variables"]
    assert variables["WEBHOOK_SECRET_PARAMETER"] == "/stack/github-webhook-secret"
