"""The Condition element: operators, absent keys, several values, and what is not known.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with
multiple context keys or values".
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from operator import eq, ge, gt, le, lt
from typing import Any, Protocol

from backstairs.access.lacks import Lack
from backstairs.access.patterns import Text, Unresolved, glob, literal, substitute
from backstairs.access.truth import Truth, all_of, any_of, negate


class Keys(Protocol):
    """The condition keys of one request."""

    def get(self, key: str) -> tuple[str, ...] | None:
        """The values of a key, empty when it is absent, None when that is not known."""

    def addresses(self, key: str) -> tuple[str, ...] | None:
        """The same of a key that holds an address, of which only the network may be known."""

    @property
    def holds(self) -> Mapping[Lack, bool]:
        """What is said of conditions that cannot be told by their keys."""


@dataclass(frozen=True, slots=True)
class Context:
    """Keys as a table, names in lower case.

    A key in `values` has those values. A key in `absent` (a name, or a prefix that ends in `*`)
    is known not to be in the request. Any other key is unknown: conditions on it are unknown.
    """

    values: Mapping[str, tuple[str, ...]]
    absent: frozenset[str] = frozenset()
    holds: Mapping[Lack, bool] = field(default_factory=dict)

    def get(self, key: str) -> tuple[str, ...] | None:
        """The values of a key, empty when it is absent, None when that is not known."""
        name = key.lower()
        if name in self.values:
            return self.values[name]
        if name in self.absent or f"{name.partition('/')[0]}/*" in self.absent:
            return ()
        return None

    def addresses(self, key: str) -> tuple[str, ...] | None:
        """The same: no network stands in a table."""
        return self.get(key)


Test = Callable[[Keys], Truth]


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key: `StringNotEquals` `aws:SourceVpce` [values]."""

    operator: str
    key: str
    values: tuple[Text, ...]

    def __str__(self) -> str:
        shown = [str(value) for value in self.values[:_SHOWN]]
        more = len(self.values) - len(shown)
        listed = ", ".join([*shown, f"{more} more"] if more else shown)
        return f"{self.operator} {self.key} [{listed}]"

    @property
    def lack(self) -> tuple[Lack, bool]:
        """What must be known of a request to tell, and whether the condition holds if that does.

        A negated operator is the opposite of its positive one, unless it says more of absent keys.
        """
        name = self.operator.lower()
        if name == "null" and [str(value).lower() for value in self.values] == ["false"]:
            return Lack("Null", self.key, ("true",)), False
        positive = _NEGATED.get(name)
        operator = _NAMES.get(positive or name, self.operator)
        return Lack(operator, self.key, self.values), not positive


class _NotModelledError(Exception):
    """An operator or value that this module does not know."""


# Keys that may have several values. "To use a condition with a multivalued key you must use a set
# operator" (IAM User Guide, "Multivalued context keys"): what happens without one is not said.
_MULTIVALUED = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
    }
)

# A reason is for reading; a list of addresses can be long.
_SHOWN = 3

# A policy's value compiled: whether a request's value fits it.
Fits = Callable[[str], Truth]
Compare = Callable[[str], Fits]
# The same where its variables have the values of a request.
_Value = Callable[[Keys], Fits]


_ARN_FIELDS = 6
_YEAR = 4


def _arn_like(pattern: str) -> Fits:
    globs = [glob(part) for part in pattern.split(":", 5)]

    def fits(value: str) -> bool:
        parts = value.split(":", 5)
        if len(globs) != _ARN_FIELDS or len(parts) != _ARN_FIELDS:
            raise _NotModelledError(f"{pattern} or {value} is no ARN")
        return all(covers(part) for covers, part in zip(globs, parts, strict=True))

    return fits


def _bool(ours: str) -> Fits:
    wanted = ours.lower()
    if wanted not in ("true", "false"):
        raise _NotModelledError(ours)
    return lambda value: value.lower() == wanted


def _equals(ours: str) -> Fits:
    return literal(ours).__eq__


def _equals_ignoring_case(ours: str) -> Fits:
    wanted = literal(ours).lower()
    return lambda value: value.lower() == wanted


@lru_cache(maxsize=1024)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise _NotModelledError(str(error)) from error


def _ip(ours: str) -> Fits:
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
                raise _NotModelledError(f"{text} is a year or four digits of seconds")
            return datetime.fromtimestamp(float(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise _NotModelledError(str(error)) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise _NotModelledError(str(error)) from error
    if not math.isfinite(number):
        raise _NotModelledError(text)
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
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_ignoring_case,
    "StringLike": glob,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "IpAddress": _ip,
    "Bool": _bool,
    **{f"Numeric{name}": _ordered(_number, is_so) for name, is_so in _ORDERED.items()},
    **{f"Date{name}": _ordered(_date, is_so) for name, is_so in _ORDERED.items()},
}
_NAMES = {name.lower(): name for name in _OPERATORS}
_NEGATED = {
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
class _Operator:
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


def _operator(name: str) -> _Operator | None:
    """An operator by its name, in any case; None for one that is not modelled."""
    quantifier, colon, rest = name.lower().rpartition(":")
    if colon and quantifier not in ("forallvalues", "foranyvalue"):
        return None
    if_exists = rest.endswith("ifexists")
    rest = rest.removesuffix("ifexists")
    found = _NAMES.get(_NEGATED.get(rest, rest))
    if found is None:
        return None
    with_variables = rest.startswith(("string", "arn"))
    return _Operator(_OPERATORS[found], quantifier, rest in _NEGATED, if_exists, with_variables)


def compared(operator: str) -> str | None:
    """What an operator compares by, in lower case: `stringlike` for `StringNotLikeIfExists`.

    None for `Null` and for what is not modelled.
    """
    if _operator(operator) is None:
        return None
    name = operator.lower().rpartition(":")[2].removesuffix("ifexists")
    return _NEGATED.get(name, name)


def holds(condition: Condition, keys: Keys) -> Truth:
    """Whether one condition holds for a request; unknown if it cannot be told."""
    return compiled(condition)(keys)


def compiled(condition: Condition) -> Test:
    """A condition read once: whether it holds for a request, unknown if that cannot be told."""
    key = condition.key.lower()
    if condition.operator.lower() == "null":
        return _null(key, {str(value).lower() for value in condition.values})
    operator = _operator(condition.operator)
    if operator is None or (not operator.quantifier and key in _MULTIVALUED):
        return _unknown
    values = condition.values
    plain = [value for value in values if isinstance(value, str) and "${" not in value]
    if operator.compare is _equals and not operator.quantifier and len(plain) == len(values):
        return _one_of(key, frozenset(plain), operator)
    return _fitting(key, [_value(value, operator) for value in values], operator)


def _one_of(key: str, wanted: frozenset[str], operator: _Operator) -> Test:
    """The commonest condition: a key's one value is, or is not, among these."""
    of_nothing, positive = operator.of_nothing, not operator.negated

    def test(keys: Keys) -> Truth:
        actual = keys.get(key)
        if not actual:
            return None if actual is None else of_nothing
        return (actual[0] in wanted) is positive if len(actual) == 1 else None

    return test


def _fitting(key: str, values: Sequence[_Value], operator: _Operator) -> Test:
    """One of the policy's values fits the request's, or all of them, or any, as is asked."""
    is_address = operator.compare is _ip

    def test(keys: Keys) -> Truth:
        actual = keys.addresses(key) if is_address else keys.get(key)
        if not actual:
            return None if actual is None else operator.of_nothing
        try:
            fits = [any_of(fits(keys)(value) for fits in values) for value in actual]
        except _NotModelledError:
            return None
        if operator.negated:
            fits = [negate(fit) for fit in fits]
        if operator.quantifier == "forallvalues":
            return all_of(fits)
        if operator.quantifier == "foranyvalue":
            return any_of(fits)
        return fits[0] if len(fits) == 1 else None

    return test


def _value(ours: Text, operator: _Operator) -> _Value:
    """One value of the policy, as what a request's value is compared with."""
    if isinstance(ours, Unresolved):
        return lambda _: _unknown
    if operator.with_variables and "${" in ours:
        return partial(_with_variables, ours, operator.compare)
    try:
        fits = operator.compare(ours)
    except _NotModelledError as error:
        return partial(_not_modelled, error)
    return lambda _: fits


def _with_variables(ours: str, compare: Compare, keys: Keys) -> Fits:
    replaced = substitute(ours, keys.get)
    if replaced is None:
        return lambda _: False
    return _unknown if isinstance(replaced, Unresolved) else compare(replaced)


def _not_modelled(error: _NotModelledError, _: Keys) -> Fits:
    raise error


def _unknown(_: object) -> Truth:
    return None


def _null(key: str, wanted: set[str]) -> Test:
    def test(keys: Keys) -> Truth:
        actual = keys.addresses(key)
        if actual is None or not wanted <= {"true", "false"}:
            return None
        return str(not actual).lower() in wanted

    return test
