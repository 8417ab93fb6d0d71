"""The data and the logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from tests.template.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("name", ["ClaimsTable", "NotificationsTable", "UndeliveredTable"])
@pytest.mark.parametrize(("stage", "kept"), [("dev", False), ("prod", True)])
def test_the_data_of_production_outlives_mistakes(
    application_with: Callable[..., Any], name: str, stage: str, *, kept: bool
) -> None:
    """Elsewhere the tables go with their stack; encryption and backups are for all."""
    stack = application_with(Stage=stage)
    table, properties = stack.resources[name], stack.properties(name)
    assert table["DeletionPolicy"] == ("Retain" if kept else "Delete")
    assert table["UpdateReplacePolicy"] == "Retain"
    assert properties["DeletionProtectionEnabled"] is kept
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_every_function_logs_to_a_group_of_its_own_for_two_weeks(
    application_with: Callable[..., Any],
) -> None:
    """The groups go with the stack."""
    stack = application_with()
    functions = stack.of_type("AWS::Lambda::Function").values()
    groups = stack.of_type("AWS::Logs::LogGroup")
    assert {function["LoggingConfig"]["LogGroup"] for function in functions} == groups.keys()
    assert len(groups) == len(functions)
    assert {group["RetentionInDays"] for group in groups.values()} == {14}


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_functions_run_where_the_parameter_says(
    application_with: Callable[..., Any], architecture: str
) -> None:
    """On Python 3.13, and the layers serve both processors."""
    stack = application_with(Architecture=architecture)
    for function in stack.of_type("AWS::Lambda::Function").values():
        assert function["Architectures"] == [architecture]
        assert function["Runtime"] == "python3.13"
    for layer in stack.of_type("AWS::Lambda::LayerVersion").values():
        assert architecture in layer["CompatibleArchitectures"]


def test_the_stream_feeds_the_notifier_with_claims_alone(
    application_with: Callable[..., Any],
) -> None:
    """New and changed claims; a record is tried for as long as it is young enough."""
    stack = application_with()
    ((_, mapping),) = stack.of_type("AWS::Lambda::EventSourceMapping").items()
    assert mapping["FunctionName"] == "NotifierFunctionAliaslive"
    assert mapping["EventSourceArn"] == "ClaimsTable.StreamArn"
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": "UndeliveredQueue.Arn"}}
    # Before the stream forgets what the queue's messages point to.
    assert mapping["MaximumRecordAgeInSeconds"] <= 12 * 3600
    assert mapping["MaximumRetryAttempts"] == -1
    # Before Lambda gives a record up, the function has set it aside, with hours to spare.
    variables = stack.properties("NotifierFunction")["Environment"]["Variables"]
    spare = mapping["MaximumRecordAgeInSeconds"] - int(variables["SET_ASIDE_AFTER_SECONDS"])
    assert spare >= 3600
    (criteria,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(criteria["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"Keys": {"SK": {"S": [{"prefix": "CLAIM#"}]}}},
    }


@pytest.mark.parametrize(("stage", "kept"), [("dev", "Delete"), ("prod", "Retain")])
def test_the_queue_of_production_outlives_its_stack(
    application_with: Callable[..., Any], stage: str, kept: str
) -> None:
    """Its messages are the only trace of what Lambda gave up."""
    queue = application_with(Stage=stage).resources["UndeliveredQueue"]
    assert (queue["DeletionPolicy"], queue["UpdateReplacePolicy"]) == (kept, "Retain")


def test_what_names_a_person_expires_and_can_be_read(application_with: Callable[..., Any]) -> None:
    """By DynamoDB's time to live; a stream hands notifications to whoever sends them."""
    stack = application_with()
    for name in ("ClaimsTable", "NotificationsTable", "UndeliveredTable"):
        ttl = stack.properties(name)["TimeToLiveSpecification"]
        assert ttl == {"AttributeName": "expiresAt", "Enabled": True}
    stream = stack.properties("NotificationsTable")["StreamSpecification"]
    assert stream == {"StreamViewType": "NEW_IMAGE"}
    assert stack.outputs["NotificationsStreamArn"]["Value"] == "NotificationsTable.StreamArn"


def test_what_the_notifier_sets_aside_sets_off_an_alarm(
    application_with: Callable[..., Any],
) -> None:
    """The alarm watches the metric that the filter makes of the function's log."""
    stack = application_with()
    ((_, metric),) = stack.of_type("AWS::Logs::MetricFilter").items()
    assert metric["LogGroupName"] == "NotifierLogGroup"
    (made,) = metric["MetricTransformations"]
    alarm = stack.properties("SetAsideAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        made["MetricNamespace"],
        made["MetricName"],
    )


def test_every_call_goes_to_a_version(application_with: Callable[..., Any]) -> None:
    """Routes and the stream lead to an alias, which every change of a function moves on."""
    stack = application_with()
    aliases = stack.of_type("AWS::Lambda::Alias")
    called = stack.of_type("AWS::Lambda::Function").keys() - {"PrunerFunction"}
    assert {alias["FunctionName"] for alias in aliases.values()} == called
    for api in ("ClaimsApi", "ReferenceApi"):
        for verbs in stack.properties(api)["Body"]["paths"].values():
            for method in verbs.values():
                uri = method["x-amazon-apigateway-integration"]["uri"]
                assert uri.removesuffix("/invocations").rpartition("/")[2] in aliases
    source = load(ROOT / "template.yaml")["Resources"]
    for name in called:
        assert source[name]["Properties"]["AutoPublishAliasAllProperties"] is True


def test_versions_of_every_function_with_versions_are_pruned(
    application_with: Callable[..., Any],
) -> None:
    """The pruner knows all of them."""
    stack = application_with()
    variables = stack.properties("PrunerFunction")["Environment"]["Variables"]
    versioned = {alias["FunctionName"] for alias in stack.of_type("AWS::Lambda::Alias").values()}
    assert set(variables["FUNCTION_NAMES"].split(",")) == versioned


def test_old_layer_versions_go(application_with: Callable[..., Any]) -> None:
    """Functions' versions keep what they were published with; nothing else needs it."""
    resources = application_with().resources.values()
    layers = [resource for resource in resources if resource["Type"] == "AWS::Lambda::LayerVersion"]
    assert layers
    assert {layer["DeletionPolicy"] for layer in layers} == {"Delete"}


@pytest.mark.parametrize("gradual", [True, False])
def test_a_new_version_can_be_taken_back_by_alarms(
    application_with: Callable[..., Any], *, gradual: bool
) -> None:
    """Where it is asked for: a tenth of the calls first, for the services behind the claims API."""
    stack = application_with(Stage="prod", GradualDeployment=str(gradual).lower())
    groups = stack.of_type("AWS::CodeDeploy::DeploymentGroup")
    moved = {name for name, resource in stack.resources.items() if "UpdatePolicy" in resource}
    if not gradual:
        assert not groups
        assert not moved
        return
    assert moved == {"ClaimsFunctionAliaslive", "MembersFunctionAliaslive"}
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    for group in groups.values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        watched = {alarm["Name"] for alarm in group["AlarmConfiguration"]["Alarms"]}
        assert len(watched) == 2
        assert watched <= alarms.keys()


@pytest.mark.parametrize("logged", [True, False])
def test_access_is_logged_where_the_account_can(
    application_with: Callable[..., Any], *, logged: bool
) -> None:
    """Who, what and why it was refused, for a week; no paths, keys, headers or bodies."""
    stack = application_with(AccessLogging=str(logged).lower())
    stages = stack.of_type("AWS::ApiGateway::Stage").values()
    assert ("AccessLogGroup" in stack.resources) is logged
    for stage in stages:
        assert ("AccessLogSetting" in stage) is logged
        if not logged:
            continue
        setting = stage["AccessLogSetting"]
        assert setting["DestinationArn"] == "AccessLogGroup.Arn"
        line = json.loads(setting["Format"])
        variables = set(line.values())
        assert {
            "$context.error.responseType",
            "$context.error.message",
            "$context.authorize.error",
            "$context.identity.userArn",
            "$context.identity.vpceId",
            "$context.requestId",
        } <= variables
        assert "\n" not in setting["Format"]
        for secret in ("accessKey", "apiKey", "$context.path", "requestOverride", "header"):
            assert not any(secret.lower() in variable.lower() for variable in variables)
    if logged:
        assert stack.properties("AccessLogGroup")["RetentionInDays"] == 7


def test_every_stage_is_throttled_and_traced(application_with: Callable[..., Any]) -> None:
    """All methods of both APIs."""
    for stage in application_with().of_type("AWS::ApiGateway::Stage").values():
        assert stage["TracingEnabled"] is True
        (setting,) = stage["MethodSettings"]
        assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
        assert setting["ThrottlingRateLimit"] == 100
        assert setting["ThrottlingBurstLimit"] == 50


def test_the_apis_metrics_are_told_apart(application_with: Callable[..., Any]) -> None:
    """By the names that the alarms look for."""
    stack = application_with(Stage="test")
    names = [api["Name"] for api in stack.of_type("AWS::ApiGateway::RestApi").values()]
    assert sorted(names) == ["stack-claims", "stack-reference"]
    dimensions = stack.properties("ClaimsApiErrorsAlarm")["Dimensions"]
    assert {one["Name"]: one["Value"] for one in dimensions} == {
        "ApiName": "stack-claims",
        "Stage": "test",
    }


WATCHED = {
    ("AWS/ApiGateway", "5XXError"),
    ("AWS/ApiGateway", "Latency"),
    ("AWS/DynamoDB", "ReadThrottleEvents"),
    ("AWS/DynamoDB", "WriteThrottleEvents"),
    ("AWS/Lambda", "Errors"),
    ("AWS/Lambda", "IteratorAge"),
    ("AWS/Lambda", "Throttles"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ("stack", "SetAside"),
}


@pytest.mark.parametrize("topic", ["", "arn:aws:sns:us-east-1:123456789012:alarms"])
def test_alarms_watch_what_matters_and_tell_the_topic(
    application_with: Callable[..., Any], topic: str
) -> None:
    """Silence is no alarm; who has a topic hears of both the beginning and the end."""
    alarms = application_with(AlarmTopicArn=topic).of_type("AWS::CloudWatch::Alarm").values()
    assert {(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms} == WATCHED
    for alarm in alarms:
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmDescription"]
        assert alarm.get("AlarmActions", []) == alarm.get("OKActions", []) == [topic] * bool(topic)
