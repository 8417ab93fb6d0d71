"""The Condition element: operators, absent keys, several values, and what is not known.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with
multiple context keys or values".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from backstairs.access.lacks import Lack
from backstairs.access.operators import (
    NAMES,
    NEGATED,
    Compare,
    Fits,
    NotModelledError,
    Operator,
    equals,
    in_network,
    operator_of,
)
from backstairs.access.patterns import Text, Unresolved, substitute
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
# A policy's value, its variables replaced by those of a request.
_Value = Callable[[Keys], Fits]


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
        positive = NEGATED.get(name)
        operator = NAMES.get(positive or name, self.operator)
        return Lack(operator, self.key, self.values), not positive


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


def compared(operator: str) -> str | None:
    """What an operator compares by, in lower case: `stringlike` for `StringNotLikeIfExists`.

    None for `Null` and for what is not modelled.
    """
    if operator_of(operator) is None:
        return None
    name = operator.lower().rpartition(":")[2].removesuffix("ifexists")
    return NEGATED.get(name, name)


def holds(condition: Condition, keys: Keys) -> Truth:
    """Whether one condition holds for a request; unknown if it cannot be told."""
    return compiled(condition)(keys)


def compiled(condition: Condition) -> Test:
    """A condition read once: whether it holds for a request, unknown if that cannot be told."""
    key = condition.key.lower()
    if condition.operator.lower() == "null":
        return _null(key, {str(value).lower() for value in condition.values})
    operator = operator_of(condition.operator)
    if operator is None or (not operator.quantifier and key in _MULTIVALUED):
        return _unknown
    values = condition.values
    plain = [value for value in values if isinstance(value, str) and "${" not in value]
    if operator.compare is equals and not operator.quantifier and len(plain) == len(values):
        return _one_of(key, frozenset(plain), operator)
    return _fitting(key, [_value(value, operator) for value in values], operator)


def _one_of(key: str, wanted: frozenset[str], operator: Operator) -> Test:
    """The commonest condition: a key's one value is, or is not, among these."""
    of_nothing, positive = operator.of_nothing, not operator.negated

    def test(keys: Keys) -> Truth:
        actual = keys.get(key)
        if not actual:
            return None if actual is None else of_nothing
        return (actual[0] in wanted) is positive if len(actual) == 1 else None

    return test


def _fitting(key: str, values: Sequence[_Value], operator: Operator) -> Test:
    """One of the policy's values fits the request's, or all of them, or any, as is asked."""
    is_address = operator.compare is in_network

    def test(keys: Keys) -> Truth:
        actual = keys.addresses(key) if is_address else keys.get(key)
        if not actual:
            return None if actual is None else operator.of_nothing
        try:
            fits = [any_of(fits(keys)(value) for fits in values) for value in actual]
        except NotModelledError:
            return None
        if operator.negated:
            fits = [negate(fit) for fit in fits]
        if operator.quantifier == "forallvalues":
            return all_of(fits)
        if operator.quantifier == "foranyvalue":
            return any_of(fits)
        return fits[0] if len(fits) == 1 else None

    return test


def _value(ours: Text, operator: Operator) -> _Value:
    """One value of the policy, as what a request's value is compared with."""
    if isinstance(ours, Unresolved):
        return lambda _: _unknown
    if operator.with_variables and "${" in ours:
        return partial(_with_variables, ours, operator.compare)
    try:
        fits = operator.compare(ours)
    except NotModelledError as error:
        return partial(_not_modelled, error)
    return lambda _: fits


def _with_variables(ours: str, compare: Compare, keys: Keys) -> Fits:
    replaced = substitute(ours, keys.get)
    if replaced is None:
        return lambda _: False
    return _unknown if isinstance(replaced, Unresolved) else compare(replaced)


def _not_modelled(error: NotModelledError, _: Keys) -> Fits:
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
