"""The data and the logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from tests.template.conftest import ROOT, nested

if TYPE_CHECKING:
    from collections.abc import Callable


TABLES = ["ClaimsTable", "NotificationsTable", "UndeliveredTable"]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(("stage", "kept"), [("dev", False), ("prod", True)])
def test_the_data_of_production_outlives_its_stack(
    application_with: Callable[..., Any], name: str, stage: str, *, kept: bool
) -> None:
    """But not a first deployment that fails; elsewhere the tables go with their stack."""
    stack = application_with(Stage=stage)
    table, properties = stack.resources[name], stack.properties(name)
    assert table["DeletionPolicy"] == ("RetainExceptOnCreate" if kept else "Delete")
    assert table["UpdateReplacePolicy"] == "Retain"
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("protected", ["false", "true"])
def test_tables_refuse_to_be_deleted_where_that_is_asked_for(
    application_with: Callable[..., Any], name: str, protected: str
) -> None:
    """Not by the stage: a first deployment that fails must be able to take them back."""
    stack = application_with(Stage="prod", DeletionProtection=protected)
    assert stack.properties(name)["DeletionProtectionEnabled"] == protected


def test_every_function_logs_to_a_group_of_its_own(
    application_with: Callable[..., Any], operation_with: Callable[..., Any]
) -> None:
    """For two weeks, at level INFO, or as the parameters say; the groups go with the stack."""
    for given, days, level in (
        ({}, "14", "INFO"),
        ({"LogRetentionDays": "365", "LogLevel": "WARN"}, "365", "WARN"),
    ):
        for stack in (application_with(**given), operation_with(**given)):
            functions = stack.of_type("AWS::Lambda::Function").values()
            groups = stack.of_type("AWS::Logs::LogGroup")
            logging = [function["LoggingConfig"] for function in functions]
            assert {one["LogGroup"] for one in logging} == groups.keys()
            assert len(groups) == len(functions)
            assert {one["ApplicationLogLevel"] for one in logging} == {level}
            assert {str(group["RetentionInDays"]) for group in groups.values()} == {days}


BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"


def test_every_role_is_bounded_where_an_organisation_demands_it(
    application_with: Callable[..., Any],
) -> None:
    """Also those of the stacks that the application brings; without the parameter none is."""
    for boundary in (BOUNDARY, ""):
        stack = application_with(
            PermissionsBoundaryArn=boundary, AccessCheck="true", AccessLogging="set-up"
        )
        stacks = [stack, *(nested(stack, name) for name in BROUGHT)]
        roles = [role for one in stacks for role in one.of_type("AWS::IAM::Role").values()]
        assert len(roles) == 8
        assert {role.get("PermissionsBoundary", "") for role in roles} == {boundary}


BROUGHT = ("Operation", "AccessChecks", "ApiGatewayAccount")
KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"


def test_data_and_logs_are_encrypted_with_a_key_of_ones_own(
    application_with: Callable[..., Any],
) -> None:
    """Tables, logs and the queue; without the parameter with AWS's."""
    stack = application_with(KmsKeyArn=KEY, AccessLogging="true")
    for name in TABLES:
        assert stack.properties(name)["SSESpecification"] == {
            "SSEEnabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": KEY,
        }
    for one in (stack, nested(stack, "Operation")):
        groups = one.of_type("AWS::Logs::LogGroup").values()
        assert {group["KmsKeyId"] for group in groups} == {KEY}
    queue = stack.properties("UndeliveredQueue")
    assert queue["KmsMasterKeyId"] == KEY
    assert "SqsManagedSseEnabled" not in queue
    assert application_with().properties("UndeliveredQueue")["SqsManagedSseEnabled"] is True


def test_the_account_can_be_set_up_for_access_logs(application_with: Callable[..., Any]) -> None:
    """By the application, before the stages that need it; otherwise it is left alone."""
    assert "ApiGatewayAccount" not in application_with(AccessLogging="true").resources
    stack = application_with(AccessLogging="set-up")
    role = "ApiGatewayAccount.Outputs.ApiGatewayLogsRoleArn"
    assert stack.properties("AccessLogGroup")["Tags"] == [{"Key": "WrittenBy", "Value": role}]
    account = nested(stack, "ApiGatewayAccount")
    assert account.properties("ApiGatewayAccount")["CloudWatchRoleArn"] == "ApiGatewayLogsRole.Arn"
    policies = {one["DeletionPolicy"] for one in account.resources.values()}
    assert policies == {"RetainExceptOnCreate"}


def test_a_parameter_says_what_a_new_account_lacks(application_with: Callable[..., Any]) -> None:
    """Before the first resource is made: in the words of the parameter that asks for it."""
    description = application_with().template["Parameters"]["AccessLogging"]["Description"]
    assert "api-gateway-account.yaml" in description
    assert "new account lacks" in description


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


@pytest.mark.parametrize(("stage", "kept"), [("dev", "Delete"), ("prod", "RetainExceptOnCreate")])
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


def test_every_call_goes_to_a_version(application_with: Callable[..., Any]) -> None:
    """Routes and the stream lead to an alias, which every change of a function moves on."""
    stack = application_with()
    aliases = stack.of_type("AWS::Lambda::Alias")
    called = stack.of_type("AWS::Lambda::Function").keys()
    assert {alias["FunctionName"] for alias in aliases.values()} == called
    for api in ("ClaimsApi", "ReferenceApi"):
        for verbs in stack.properties(api)["Body"]["paths"].values():
            for method in verbs.values():
                uri = method["x-amazon-apigateway-integration"]["uri"]
                assert uri.removesuffix("/invocations").rpartition("/")[2] in aliases
    source = load(ROOT / "template.yaml")["Resources"]
    for name in called:
        assert source[name]["Properties"]["AutoPublishAliasAllProperties"] is True


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
    """By their names, which are their definitions' titles too: it is the same which counts."""
    apis = application_with(Stage="test").of_type("AWS::ApiGateway::RestApi")
    names = {name: api["Name"] for name, api in apis.items()}
    assert names == {"ClaimsApi": "stack", "ReferenceApi": "stack-reference"}
    assert {name: api["Body"]["info"]["title"] for name, api in apis.items()} == names
