"""The operators of conditions: what each makes of a policy's value and a request's.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import Any

from backstairs.access.patterns import glob, literal
from backstairs.access.truth import Truth


class NotModelledError(Exception):
    """An operator or value that this module does not know."""


# A policy's value compiled: whether a request's value fits it.
Fits = Callable[[str], Truth]
Compare = Callable[[str], Fits]


_ARN_FIELDS = 6
_YEAR = 4


def _arn_like(pattern: str) -> Fits:
    globs = [glob(part) for part in pattern.split(":", 5)]

    def fits(value: str) -> bool:
        parts = value.split(":", 5)
        if len(globs) != _ARN_FIELDS or len(parts) != _ARN_FIELDS:
            raise NotModelledError(f"{pattern} or {value} is no ARN")
        return all(covers(part) for covers, part in zip(globs, parts, strict=True))

    return fits


def _bool(ours: str) -> Fits:
    wanted = ours.lower()
    if wanted not in ("true", "false"):
        raise NotModelledError(ours)
    return lambda value: value.lower() == wanted


def equals(ours: str) -> Fits:
    return literal(ours).__eq__


def _equals_ignoring_case(ours: str) -> Fits:
    wanted = literal(ours).lower()
    return lambda value: value.lower() == wanted


@lru_cache(maxsize=1024)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise NotModelledError(str(error)) from error


def in_network(ours: str) -> Fits:
    """Of a request of which only the network is known, unknown where it is in ours in part."""
    wanted = _network(ours)

    def fits(value: str) -> Truth:
        theirs = _network(value)
        if wanted.version != theirs.version:
            return False
        if wanted[0] <= theirs[0] and theirs[-1] <= wanted[-1]:  # type: ignore[operator]
            return True
        return None if wanted.overlaps(theirs) else False

    return fits


def _date(text: str) -> datetime:
    try:
        if text.replace(".", "", 1).isdigit():
            if len(text) == _YEAR:
                raise NotModelledError(f"{text} is a year or four digits of seconds")
            return datetime.fromtimestamp(float(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise NotModelledError(str(error)) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise NotModelledError(str(error)) from error
    if not math.isfinite(number):
        raise NotModelledError(text)
    return number


def _ordered(read: Callable[[str], Any], is_so: Callable[[Any, Any], bool]) -> Compare:
    """How values are compared that are read first: `is_so(theirs, ours)`."""

    def compare(ours: str) -> Fits:
        wanted = read(ours)
        return lambda value: is_so(read(value), wanted)

    return compare


_ORDERED = {
    "Equals": eq,
    "LessThan": lt,
    "LessThanEquals": le,
    "GreaterThan": gt,
    "GreaterThanEquals": ge,
}
# Each positive operator by its name; negated ones name theirs.
_OPERATORS: dict[str, Compare] = {
    "StringEquals": equals,
    "StringEqualsIgnoreCase": _equals_ignoring_case,
    "StringLike": glob,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "IpAddress": in_network,
    "Bool": _bool,
    **{f"Numeric{name}": _ordered(_number, is_so) for name, is_so in _ORDERED.items()},
    **{f"Date{name}": _ordered(_date, is_so) for name, is_so in _ORDERED.items()},
}
NAMES = {name.lower(): name for name in _OPERATORS}
NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator taken apart: `ForAnyValue:StringNotLikeIfExists`."""

    compare: Compare
    quantifier: str
    negated: bool
    if_exists: bool
    # Of the types, only strings and ARNs are documented to replace policy variables.
    with_variables: bool

    @property
    def of_nothing(self) -> Truth:
        """Whether it holds of an absent key."""
        if self.quantifier == "foranyvalue" and self.if_exists:
            return None  # one says that it holds, the other that it does not
        # IfExists and the negated operators hold, and so does "all of none".
        return (
            self.if_exists
            or self.quantifier == "forallvalues"
            or (self.negated and not self.quantifier)
        )


def operator_of(name: str) -> Operator | None:
    """An operator by its name, in any case; None for one that is not modelled."""
    quantifier, colon, rest = name.lower().rpartition(":")
    if colon and quantifier not in ("forallvalues", "foranyvalue"):
        return None
    if_exists = rest.endswith("ifexists")
    rest = rest.removesuffix("ifexists")
    found = NAMES.get(NEGATED.get(rest, rest))
    if found is None:
        return None
    with_variables = rest.startswith(("string", "arn"))
    return Operator(_OPERATORS[found], quantifier, rest in NEGATED, if_exists, with_variables)
