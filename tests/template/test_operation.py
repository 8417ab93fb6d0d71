"""The data and the logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("name", ["ClaimsTable", "NotificationsTable"])
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
    """New and changed claims; failures are reported record by record, and end in the queue."""
    stack = application_with()
    ((_, mapping),) = stack.of_type("AWS::Lambda::EventSourceMapping").items()
    assert mapping["FunctionName"] == "NotifierFunction"
    assert mapping["EventSourceArn"] == "ClaimsTable.StreamArn"
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": "UndeliveredQueue.Arn"}}
    # Before the stream forgets what the queue's messages point to.
    assert mapping["MaximumRecordAgeInSeconds"] < 24 * 3600
    assert mapping["MaximumRetryAttempts"] > 0
    (criteria,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(criteria["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"Keys": {"SK": {"S": [{"prefix": "CLAIM#"}]}}},
    }
