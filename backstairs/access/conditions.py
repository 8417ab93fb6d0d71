"""The Condition element: operators, absent keys, several values, and what is not known.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with
multiple context keys or values".
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from backstairs.access.patterns import Lookup, Text, Unresolved, literal, matches, substitute
from backstairs.access.truth import Truth, all_of, any_of, negate


@dataclass(frozen=True, slots=True)
class Context:
    """The condition keys of one request, names in lower case.

    A key in `values` has those values. A key in `absent` (a name, or a prefix that ends in `*`)
    is known not to be in the request. Any other key is unknown: conditions on it are unknown.
    """

    values: Mapping[str, tuple[str, ...]]
    absent: frozenset[str] = frozenset()

    def get(self, key: str) -> tuple[str, ...] | None:
        """The values of a key, empty when it is absent, None when that is not known."""
        name = key.lower()
        if name in self.values:
            return self.values[name]
        if name in self.absent or f"{name.partition('/')[0]}/*" in self.absent:
            return ()
        return None

    def without(self, keys: frozenset[str]) -> Context:
        """The same, as far as it goes without these keys: they are unknown."""
        kept = {name: values for name, values in self.values.items() if name not in keys}
        return Context(kept, self.absent - keys)


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

Compare = Callable[[str, str], bool]


_ARN_FIELDS = 6
_YEAR = 4


def _arn_like(pattern: str, value: str) -> bool:
    ours, theirs = pattern.split(":", 5), value.split(":", 5)
    if len(ours) != _ARN_FIELDS or len(theirs) != _ARN_FIELDS:
        raise _NotModelledError(f"{pattern} or {value} is no ARN")
    return all(map(matches, ours, theirs))


def _bool(ours: str, theirs: str) -> bool:
    if ours.lower() not in ("true", "false"):
        raise _NotModelledError(ours)
    return ours.lower() == theirs.lower()


def _ip(network: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError as error:
        raise _NotModelledError(str(error)) from error


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


# Each positive operator as compare(policy value, request value); negated ones name theirs.
_POSITIVE: dict[str, Compare] = {
    "stringequals": lambda ours, theirs: literal(ours) == theirs,
    "stringequalsignorecase": lambda ours, theirs: literal(ours).lower() == theirs.lower(),
    "stringlike": matches,
    "arnequals": _arn_like,
    "arnlike": _arn_like,
    "ipaddress": _ip,
    "bool": _bool,
    "numericequals": lambda ours, theirs: _number(theirs) == _number(ours),
    "numericlessthan": lambda ours, theirs: _number(theirs) < _number(ours),
    "numericlessthanequals": lambda ours, theirs: _number(theirs) <= _number(ours),
    "numericgreaterthan": lambda ours, theirs: _number(theirs) > _number(ours),
    "numericgreaterthanequals": lambda ours, theirs: _number(theirs) >= _number(ours),
    "dateequals": lambda ours, theirs: _date(theirs) == _date(ours),
    "datelessthan": lambda ours, theirs: _date(theirs) < _date(ours),
    "datelessthanequals": lambda ours, theirs: _date(theirs) <= _date(ours),
    "dategreaterthan": lambda ours, theirs: _date(theirs) > _date(ours),
    "dategreaterthanequals": lambda ours, theirs: _date(theirs) >= _date(ours),
}
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


@cache
def _operator(name: str) -> _Operator:
    quantifier, colon, rest = name.lower().rpartition(":")
    if colon and quantifier not in ("forallvalues", "foranyvalue"):
        raise _NotModelledError(name)
    if_exists = rest.endswith("ifexists")
    rest = rest.removesuffix("ifexists")
    compare = _POSITIVE.get(_NEGATED.get(rest, rest))
    if compare is None:
        raise _NotModelledError(name)
    return _Operator(
        compare, quantifier, rest in _NEGATED, if_exists, rest.startswith(("string", "arn"))
    )


def compared(operator: str) -> str | None:
    """What an operator compares by, in lower case: `stringlike` for `StringNotLikeIfExists`.

    None for `Null` and for what is not modelled.
    """
    try:
        _operator(operator)
    except _NotModelledError:
        return None
    name = operator.lower().rpartition(":")[2].removesuffix("ifexists")
    return _NEGATED.get(name, name)


def _covers(values: Sequence[Text], actual: str, operator: _Operator, lookup: Lookup) -> Truth:
    """Whether one of the policy's values fits the request's value."""

    def one(ours: Text) -> Truth:
        if isinstance(ours, Unresolved):
            return None
        replaced = substitute(ours, lookup) if operator.with_variables else ours
        if replaced is None:
            return False
        return None if isinstance(replaced, Unresolved) else operator.compare(replaced, actual)

    return any_of(map(one, values))


def holds(condition: Condition, context: Context) -> Truth:  # noqa: PLR0911 - a decision list
    """Whether one condition holds for a request; unknown if it cannot be told."""
    actual = context.get(condition.key)
    if condition.operator.lower() == "null":
        return _null(condition.values, actual)
    try:
        operator = _operator(condition.operator)
        if actual is None:
            return None
        if not operator.quantifier and condition.key.lower() in _MULTIVALUED:
            return None
        if operator.quantifier == "foranyvalue" and operator.if_exists and not actual:
            return None  # one says that it holds, the other that it does not
        if not actual:
            # Absent: IfExists and the negated operators hold, and so does "all of none".
            return (
                operator.if_exists
                or operator.quantifier == "forallvalues"
                or (operator.negated and not operator.quantifier)
            )
        fits = [_covers(condition.values, value, operator, context.get) for value in actual]
    except _NotModelledError:
        return None
    if operator.negated:
        fits = [negate(fit) for fit in fits]
    if operator.quantifier == "forallvalues":
        return all_of(fits)
    if operator.quantifier == "foranyvalue":
        return any_of(fits)
    return fits[0] if len(fits) == 1 else None


def _null(values: Sequence[Text], actual: tuple[str, ...] | None) -> Truth:
    wanted = {str(value).lower() for value in values}
    if actual is None or not wanted <= {"true", "false"}:
        return None
    return str(not actual).lower() in wanted
