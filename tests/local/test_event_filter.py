"""Filter patterns against stream records, by Lambda's and EventBridge's documents."""

from __future__ import annotations

import json

import pytest

from backstairs.runtime.event_filter import EventFilter, FilterError

RECORD = {
    "eventName": "INSERT",
    "dynamodb": {
        "Keys": {"PK": {"S": "MEMBER#1"}, "SK": {"S": "CLAIM#9"}},
        "SizeBytes": 26,
        "tags": ["a", "b"],
        "nothing": None,
    },
}


@pytest.mark.parametrize(
    ("pattern", "passes"),
    [
        ({"eventName": ["INSERT"]}, True),
        ({"eventName": ["REMOVE", "INSERT"]}, True),
        ({"eventName": ["insert"]}, False),
        ({"eventName": [{"equals-ignore-case": "insert"}]}, True),
        ({"dynamodb": {"Keys": {"SK": {"S": [{"prefix": "CLAIM#"}]}}}}, True),
        ({"dynamodb": {"Keys": {"SK": {"S": [{"prefix": "MEMBER#"}]}}}}, False),
        ({"dynamodb": {"Keys": {"SK": {"S": [{"suffix": "9"}]}}}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">", 20, "<=", 26]}]}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">", 26]}]}}, False),
        ({"dynamodb": {"SizeBytes": ["26"]}}, False),
        ({"dynamodb": {"tags": ["b"]}}, True),
        ({"dynamodb": {"nothing": [None]}}, True),
        ({"dynamodb": {"OldImage": [{"exists": False}]}}, True),
        ({"dynamodb": {"NewImage": [{"exists": True}]}}, False),
        ({"eventName": [{"anything-but": ["REMOVE"]}]}, True),
        ({"eventName": [{"anything-but": "INSERT"}]}, False),
        ({"absent": [{"anything-but": "x"}]}, False),
        ({"eventName": ["INSERT"], "absent": ["x"]}, False),
        ({"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"SizeBytes": [26]}}]}, True),
    ],
)
def test_a_pattern(pattern: object, passes: bool) -> None:  # noqa: FBT001 - a table
    """A record passes where every field of the pattern has one of its values."""
    assert EventFilter([json.dumps(pattern)]).passes(RECORD) is passes


def test_several_patterns() -> None:
    """Without a pattern everything passes; with several, what fits one of them."""
    other, fitting = json.dumps({"eventName": ["REMOVE"]}), json.dumps({"eventName": ["INSERT"]})

    assert EventFilter([]).passes(RECORD)
    assert EventFilter([other, fitting]).passes(RECORD)
    assert not EventFilter([other]).passes(RECORD)


@pytest.mark.parametrize(
    "pattern",
    [
        {},
        [],
        {"eventName": "INSERT"},
        {"eventName": []},
        {"eventName": [{"cidr": "10.0.0.0/8"}]},
        {"eventName": [{"wildcard": "*"}]},
        {"eventName": [{"anything-but": {"prefix": "x"}}]},
        {"size": [{"numeric": ["!=", 3]}]},
    ],
)
def test_a_pattern_that_is_not_understood(pattern: object) -> None:
    """What is not understood is refused when it is read, never passed or dropped by guess."""
    with pytest.raises(FilterError):
        EventFilter([json.dumps(pattern)])
