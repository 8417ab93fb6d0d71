"""Event filtering: which records of a stream a function is invoked with.

Source: AWS Lambda Developer Guide, "Control which events Lambda sends to your function" and
Amazon EventBridge User Guide, "Comparison operators". A pattern that is not understood is refused
when it is read, so that no record is ever dropped or passed by guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_ABSENT = object()
_NUMERIC: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_OPERATORS = {"prefix", "suffix", "anything-but", "exists", "numeric", "equals-ignore-case"}


class FilterError(ValueError):
    """A filter pattern that cannot be understood."""


class EventFilter:
    """The filters of an event source mapping: a record passes if one of them fits, or if none is.

    `patterns` are the Pattern strings of FilterCriteria. Raises FilterError.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [json.loads(pattern) for pattern in patterns]
        for pattern in self._patterns:
            _check(pattern, "the pattern")

    def passes(self, record: Mapping[str, Any]) -> bool:
        """Whether a record is for the function."""
        return not self._patterns or any(_fits(pattern, record) for pattern in self._patterns)


def _check(pattern: object, where: str) -> None:
    if not isinstance(pattern, dict) or not pattern:
        raise FilterError(f"{where} is not an object with fields")
    for name, rule in pattern.items():
        if name == "$or":
            for alternative in rule:
                _check(alternative, "$or")
        elif isinstance(rule, dict):
            _check(rule, name)
        elif isinstance(rule, list) and rule:
            for one in rule:
                _check_rule(one, name)
        else:
            raise FilterError(f"{name} is neither an object nor a list of values")


def _check_rule(rule: object, name: str) -> None:
    if isinstance(rule, dict):
        if len(rule) != 1 or not rule.keys() <= _OPERATORS:
            raise FilterError(f"{name}: {', '.join(rule)} is not modelled")
        operand = next(iter(rule.values()))
        if "numeric" in rule and not set(operand[::2]) <= _NUMERIC.keys():
            raise FilterError(f"{name}: numeric {operand} is not modelled")
        if isinstance(operand, dict):
            raise FilterError(f"{name}: {operand} is not modelled")
    elif isinstance(rule, list):
        raise FilterError(f"{name}: a list in a list is not modelled")


def _fits(pattern: Mapping[str, Any], event: object) -> bool:
    for name, rule in pattern.items():
        if name == "$or":
            if not any(_fits(alternative, event) for alternative in rule):
                return False
            continue
        value = event.get(name, _ABSENT) if isinstance(event, Mapping) else _ABSENT
        if isinstance(rule, dict):
            if not _fits(rule, value):
                return False
        elif not any(_fits_rule(one, value) for one in rule):
            return False
    return True


def _fits_rule(rule: object, value: object) -> bool:  # noqa: PLR0911 - a decision list
    if isinstance(value, list):
        return any(_fits_rule(rule, one) for one in value)
    if not isinstance(rule, dict):
        return value == rule and type(value) is type(rule)
    ((operator, operand),) = rule.items()
    if operator == "exists":
        return (value is not _ABSENT) is operand
    if value is _ABSENT:
        return False
    if operator == "anything-but":
        return value not in (operand if isinstance(operand, list) else [operand])
    if operator == "numeric":
        return isinstance(value, int | float) and all(
            _NUMERIC[sign](value, bound)
            for sign, bound in zip(operand[::2], operand[1::2], strict=True)
        )
    if not isinstance(value, str):
        return False
    if operator == "equals-ignore-case":
        return value.lower() == str(operand).lower()
    return value.startswith(operand) if operator == "prefix" else value.endswith(operand)
