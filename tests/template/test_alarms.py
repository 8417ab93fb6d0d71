"""The alarms: each goes off on the numbers that its trouble makes, and only then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.template.cloudwatch import (
    Metric,
    Minutes,
    goes_off,
    metric,
    of_api,
    of_function,
    watched,
)
from tests.template.conftest import nested

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

QUIET: Minutes = [[0.0]] * 10
OFTEN: Minutes = [*QUIET, [1.0, 1.0], [2.0], [1.0, 1.0], [1.0], [3.0]]
ONCE: Minutes = [*QUIET, [1.0], [0.0], [0.0]]
OVER: Minutes = [*OFTEN, *QUIET]
SLOW: Minutes = [*QUIET, *[[20.0, 4000.0]] * 5]
SLOW_ONCE: Minutes = [*QUIET, [20.0, 4000.0], *[[20.0, 30.0]] * 4]


def _table(name: str, table: str, minutes: Minutes) -> dict[Metric, Minutes]:
    return {metric("AWS/DynamoDB", name, TableName=table): minutes}


def _trouble(stack: Any) -> dict[str, Callable[[Minutes], Mapping[Metric, Minutes]]]:
    """For each alarm what publishes its numbers, under the names of the stack's resources."""
    claims, reference = stack.properties("ClaimsApi"), stack.resources.get("ReferenceApi")

    def function(name: str, logical_id: str) -> Callable[[Minutes], Mapping[Metric, Minutes]]:
        return lambda minutes: of_function(name, logical_id, minutes)

    def table(name: str, logical_id: str) -> Callable[[Minutes], Mapping[Metric, Minutes]]:
        assert stack.resources[logical_id]["Type"] == "AWS::DynamoDB::Table"
        return lambda minutes: _table(name, f"stack-{logical_id}-A1", minutes)

    found: dict[str, Callable[[Minutes], Mapping[Metric, Minutes]]] = {
        "ClaimsApiErrorsAlarm": lambda minutes: of_api("5XXError", claims, "dev", minutes),
        "ClaimsApiLatencyAlarm": lambda minutes: of_api("Latency", claims, "dev", minutes),
        "ClaimsTableReadThrottlesAlarm": table("ReadThrottleEvents", "ClaimsTable"),
        "ClaimsTableWriteThrottlesAlarm": table("WriteThrottleEvents", "ClaimsTable"),
        "NotificationsTableWriteThrottlesAlarm": table("WriteThrottleEvents", "NotificationsTable"),
        "UndeliveredTableWriteThrottlesAlarm": table("WriteThrottleEvents", "UndeliveredTable"),
        "NotifierLagAlarm": function("IteratorAge", "NotifierFunction"),
        "NotifierFunctionErrorsAlarm": function("Errors", "NotifierFunction"),
        "PrunerFunctionErrorsAlarm": function("Errors", "PrunerFunction"),
        "SetAsideAlarm": lambda minutes: {metric("stack", "SetAside"): minutes},
        "UndeliveredAlarm": lambda minutes: {
            metric(
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                QueueName="UndeliveredQueue.QueueName",
            ): minutes
        },
    }
    for service in ("Claims", "Members", "ClaimTypes"):
        for name in ("Errors", "Throttles"):
            found[f"{service}Function{name}Alarm"] = function(name, f"{service}Function")
    if reference:
        api = reference["Properties"]
        found["ReferenceApiErrorsAlarm"] = lambda minutes: of_api("5XXError", api, "dev", minutes)
    return found


# What sets each off, and what does not yet; where not said, OFTEN and ONCE.
NUMBERS: dict[str, tuple[Minutes, Minutes]] = {
    "ClaimsApiLatencyAlarm": (SLOW, SLOW_ONCE),
    "ClaimsApiErrorsAlarm": ([[1.0] * 3] * 5, OFTEN),
    "ReferenceApiErrorsAlarm": ([[1.0] * 3] * 5, OFTEN),
    "NotifierLagAlarm": ([[400_000.0]] * 3, [[400_000.0], [1000.0], [1000.0]]),
    "PrunerFunctionErrorsAlarm": ([[1.0]], [[0.0]]),
    "SetAsideAlarm": ([[1.0]], [[0.0]]),
    "UndeliveredAlarm": ([[1.0]], [[0.0]]),
}


@pytest.fixture(scope="module", params=["template", "regional"])
def stacks(
    request: pytest.FixtureRequest,
    application_with: Callable[..., Any],
    regional_with: Callable[..., Any],
) -> tuple[Any, Any]:
    """The application or the one without a network, and its alarms' stack."""
    stack = application_with() if request.param == "template" else regional_with()
    return stack, nested(stack, "Operation")


def test_each_alarm_goes_off_on_its_trouble_and_not_before(stacks: tuple[Any, Any]) -> None:
    """Numbers under the names of what is deployed; one bad minute wakes nobody."""
    stack, operation = stacks
    trouble, alarms = _trouble(stack), operation.of_type("AWS::CloudWatch::Alarm")
    assert trouble.keys() == alarms.keys()
    for name, publish in trouble.items():
        bad, harmless = NUMBERS.get(name, (OFTEN, ONCE))
        assert goes_off(alarms[name], publish(bad)), name
        assert not goes_off(alarms[name], publish(harmless)), name
        assert not goes_off(alarms[name], {}), name


def test_alarms_end_with_their_trouble(stacks: tuple[Any, Any]) -> None:
    """Ten quiet minutes later, or an hour for what runs once a day."""
    stack, operation = stacks
    for name, publish in _trouble(stack).items():
        bad, _ = NUMBERS.get(name, (OFTEN, ONCE))
        alarm = operation.properties(name)
        assert not goes_off(alarm, publish([*bad, *[[0.0]] * 60])), name


def test_an_alarm_hears_nothing_of_others(stacks: tuple[Any, Any]) -> None:
    """Each alarm's trouble sets off that alarm alone."""
    stack, operation = stacks
    alarms = operation.of_type("AWS::CloudWatch::Alarm")
    for name, publish in _trouble(stack).items():
        bad, _ = NUMBERS.get(name, (OFTEN, ONCE))
        published = publish(bad)
        assert {other for other in alarms if goes_off(alarms[other], published)} == {name}


def test_nothing_goes_unwatched(stacks: tuple[Any, Any]) -> None:
    """Every function, API, table that is written, queue and stream has an alarm."""
    stack, operation = stacks
    seen = {watched(alarm) for alarm in operation.of_type("AWS::CloudWatch::Alarm").values()}
    functions = [
        *stack.of_type("AWS::Lambda::Function"),
        *operation.of_type("AWS::Lambda::Function"),
    ]
    assert len(functions) == 5
    for function in functions:
        assert metric("AWS/Lambda", "Errors", FunctionName=function) in seen
    for api in stack.of_type("AWS::ApiGateway::RestApi").values():
        assert metric("AWS/ApiGateway", "5XXError", ApiName=api["Name"], Stage="dev") in seen
    for table in stack.of_type("AWS::DynamoDB::Table"):
        assert metric("AWS/DynamoDB", "WriteThrottleEvents", TableName=f"stack-{table}-A1") in seen
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        function = mapping["FunctionName"].removesuffix("Aliaslive")
        assert metric("AWS/Lambda", "IteratorAge", FunctionName=function) in seen


def test_the_dashboard_shows_every_alarm_and_what_it_watches(stacks: tuple[Any, Any]) -> None:
    """Its body is JSON; each metric in it is one that is published."""
    _, operation = stacks
    widgets = json.loads(operation.properties("Dashboard")["DashboardBody"])["widgets"]
    alarms = operation.of_type("AWS::CloudWatch::Alarm")
    shown = [arn for widget in widgets for arn in widget["properties"].get("alarms", [])]
    assert sorted(shown) == sorted(f"{name}.Arn" for name in alarms)
    graphs = set()
    for widget in widgets:
        for namespace, name, *rest in widget["properties"].get("metrics", []):
            texts = [part for part in rest if isinstance(part, str)]
            graphs.add(metric(namespace, name, **dict(zip(texts[::2], texts[1::2], strict=True))))
    assert {watched(alarm) for alarm in alarms.values()} <= graphs
    places = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("service", ["Claims", "Members"])
def test_a_deployment_is_guarded_by_its_new_version_alone(
    operation_with: Callable[..., Any], service: str
) -> None:
    """What the old version suffers from does not stop its repair, nor does a quiet new version."""
    stack = operation_with(GradualDeployment="true")
    alarm = stack.properties(f"{service}VersionErrorsAlarm")
    function = f"{service}Function"
    version = next(one["Value"] for one in alarm["Dimensions"] if one["Name"] == "ExecutedVersion")
    failing = [*QUIET, [1.0]]

    def failed(executed: str, *, weighted: bool = True) -> dict[Metric, Minutes]:
        return of_function("Errors", function, failing, version=executed, weighted=weighted)

    assert goes_off(alarm, failed(version))
    assert not goes_off(alarm, failed("7"))
    # Once the alias has moved on, Lambda tells versions apart no more: a standing alarm on this
    # metric would never go off.
    assert not goes_off(alarm, failed(version, weighted=False))
    assert goes_off(
        stack.properties(f"{service}FunctionErrorsAlarm"),
        of_function("Errors", function, OFTEN),
    )


@pytest.mark.parametrize("gradual", [True, False])
def test_a_new_version_can_be_taken_back_by_alarms(
    application_with: Callable[..., Any], *, gradual: bool
) -> None:
    """Where it is asked for: a tenth of the calls first, for the services behind the claims API."""
    stack = application_with(Stage="prod", GradualDeployment=str(gradual).lower())
    groups = stack.of_type("AWS::CodeDeploy::DeploymentGroup")
    moved = {name for name, resource in stack.resources.items() if "UpdatePolicy" in resource}
    operation = nested(stack, "Operation")
    guards = {name for name in operation.outputs if name.endswith("VersionAlarm")}
    if not gradual:
        assert not groups
        assert not moved
        assert not guards
        return
    assert moved == {"ClaimsFunctionAliaslive", "MembersFunctionAliaslive"}
    assert guards == {"ClaimsVersionAlarm", "MembersVersionAlarm"}
    watching = set()
    for group in groups.values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        (alarm,) = group["AlarmConfiguration"]["Alarms"]
        watching.add(alarm["Name"].removeprefix("Operation.Outputs."))
    assert watching == guards


@pytest.mark.parametrize("topic", ["", "arn:aws:sns:us-east-1:123456789012:alarms"])
def test_alarms_tell_the_topic(operation_with: Callable[..., Any], topic: str) -> None:
    """Silence is no alarm; who has a topic hears of both the beginning and the end."""
    stack = operation_with(AlarmTopicArn=topic, GradualDeployment="true")
    for alarm in stack.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmDescription"]
        assert alarm.get("AlarmActions", []) == alarm.get("OKActions", []) == [topic] * bool(topic)


def test_what_the_notifier_sets_aside_becomes_a_metric(operation_with: Callable[..., Any]) -> None:
    """A filter of the function's log counts it, in a namespace of the stack's own."""
    ((_, made),) = operation_with().of_type("AWS::Logs::MetricFilter").items()
    assert made["LogGroupName"] == "NotifierLogGroup"
    (transformation,) = made["MetricTransformations"]
    assert transformation["MetricNamespace"] == "stack"
    assert transformation["MetricName"] == "SetAside"
