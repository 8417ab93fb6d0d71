"""CloudWatch's alarms on numbers: what state an alarm is in after some minutes of a metric.

As the CloudWatch User Guide has it ("Using Amazon CloudWatch alarms"): a metric is its namespace,
name and *exact* dimensions; each period's samples make one data point; the alarm goes off when, of
the last `EvaluationPeriods` points, `DatapointsToAlarm` breach; missing ones count as
`TreatMissingData` says.
The emulated account's CloudWatch looks at neither dimensions nor data points.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Metric = tuple[str, str, frozenset[tuple[str, str]]]
# The samples of each minute, the newest minute last; an empty one is a minute without data.
Minutes = list[list[float]]


def metric(namespace: str, name: str, **dimensions: str) -> Metric:
    """What a number is published under."""
    return namespace, name, frozenset(dimensions.items())


def watched(alarm: Mapping[str, Any]) -> Metric:
    """The metric that an alarm looks at."""
    dimensions = {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])}
    return metric(alarm["Namespace"], alarm["MetricName"], **dimensions)


def goes_off(alarm: Mapping[str, Any], published: Mapping[Metric, Minutes]) -> bool:
    """Whether an alarm (its CloudFormation properties) is in ALARM after these minutes."""
    assert alarm["TreatMissingData"] == "notBreaching"
    minutes = published.get(watched(alarm), [])
    length = int(alarm["Period"]) // 60
    periods = int(alarm["EvaluationPeriods"])
    breaching = 0
    for period in range(periods):
        end = len(minutes) - period * length
        minutes_of_period = minutes[max(end - length, 0) : max(end, 0)]
        samples = [sample for minute in minutes_of_period for sample in minute]
        breaching += bool(samples) and _breaches(alarm, _statistic(alarm, samples))
    return breaching >= int(alarm.get("DatapointsToAlarm", periods))


def _breaches(alarm: Mapping[str, Any], value: float) -> bool:
    threshold = float(alarm["Threshold"])
    match alarm["ComparisonOperator"]:
        case "GreaterThanOrEqualToThreshold":
            return value >= threshold
        case "GreaterThanThreshold":
            return value > threshold
        case operator:
            # An alarm that this cannot judge fails its test, rather than pass unjudged.
            pytest.fail(f"ComparisonOperator {operator}: its meaning is to be added here")


def _statistic(alarm: Mapping[str, Any], samples: Sequence[float]) -> float:
    match alarm.get("ExtendedStatistic") or alarm["Statistic"]:
        case "Sum":
            return math.fsum(samples)
        case "Maximum":
            return max(samples)
        case "p99":
            return sorted(samples)[math.ceil(0.99 * len(samples)) - 1]
        case statistic:
            pytest.fail(f"statistic {statistic}: its meaning is to be added here")


def of_function(
    name: str, function: str, minutes: Minutes, *, version: str = "1", weighted: bool = False
) -> dict[Metric, Minutes]:
    """A metric of a function called by its alias `live`, under all of Lambda's dimensions.

    `ExecutedVersion` only while the alias gives two versions a share of the calls (Lambda Developer
    Guide, "Types of metrics for Lambda functions", "Dimensions").
    """
    sets: Iterable[dict[str, str]] = [
        {"FunctionName": function},
        {"FunctionName": function, "Resource": f"{function}:live"},
    ]
    if weighted:
        sets = [
            *sets,
            {
                "FunctionName": function,
                "Resource": f"{function}:live",
                "ExecutedVersion": version,
            },
        ]
    return {metric("AWS/Lambda", name, **dimensions): minutes for dimensions in sets}


def of_api(
    name: str, api: Mapping[str, Any], stage: str, minutes: Minutes
) -> dict[Metric, Minutes]:
    """A metric of an API's stage, under its name, which is its definition's title too.

    Whichever of the two API Gateway takes for ApiName: they are the same.
    """
    assert api["Name"] == api["Body"]["info"]["title"]
    dimensions = ({"ApiName": api["Name"], "Stage": stage}, {"ApiName": api["Name"]})
    return {metric("AWS/ApiGateway", name, **one): minutes for one in dimensions}
