"""What a claim is: what a client may say of one, and what the service adds to it."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Rule: TypeAlias = Callable[[object], str | None]
    """What is wrong with a value, worded to follow the field's name; None where nothing is."""

Claim: TypeAlias = dict[str, str | int]
"""A claim as clients see it: attribute by name, all of them texts and integers."""

_CLAIM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Control characters but tab and newline, and halves of surrogate pairs, which have no UTF-8.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class InvalidClaimError(ValueError):
    """A body that is not a claim; `errors` says which fields are at fault and how."""

    def __init__(self, message: str, errors: list[dict[str, str]]) -> None:
        super().__init__(message)
        self.message, self.errors = message, errors


def is_claim_id(text: str) -> bool:
    """Whether a text can be a claim's id: a UUID in lower case."""
    return _CLAIM_ID.fullmatch(text) is not None


def parse(body: str) -> Claim:
    """The claim that a request's body describes, with the client's fields alone.

    Raises InvalidClaimError.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidClaimError("The body is not JSON", []) from None
    if not isinstance(fields, dict):
        raise InvalidClaimError("The body is not a JSON object", [])
    errors = [
        {"field": name, "problem": problem}
        for name, problem in (
            *((name, _problem(name, fields)) for name in _RULES),
            *((name, "is not a field of a claim") for name in fields if name not in _RULES),
        )
        if problem is not None
    ]
    if errors:
        raise InvalidClaimError("The claim is not valid", errors)
    return fields


def new_claim(fields: Claim, *, member_id: str, claim_id: str, created_at: str) -> Claim:
    """A claim of these fields, with what the service adds; `created_at` in UTC, ISO 8601."""
    return {
        **fields,
        "memberId": member_id,
        "claimId": claim_id,
        "version": 1,
        "createdAt": created_at,
        "updatedAt": created_at,
    }


def same_fields(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Whether two claims say the same in the client's fields."""
    return all(one.get(name) == other.get(name) for name in FIELDS)


def _problem(name: str, fields: Mapping[str, object]) -> str | None:
    if name not in fields:
        return None if name in _OPTIONAL else "is missing"
    return _RULES[name](fields[name])


def _text(longest: int) -> Rule:
    def problem(value: object) -> str | None:
        if not isinstance(value, str) or not 0 < len(value.strip()) <= len(value) <= longest:
            return f"must be a text of 1 to {longest} characters"
        return "contains control characters" if _UNPRINTABLE.search(value) else None

    return problem


def _form(pattern: str, example: str) -> Rule:
    form = re.compile(pattern)

    def problem(value: object) -> str | None:
        matches = isinstance(value, str) and form.fullmatch(value)
        return None if matches else f"must be of the form {example}"

    return problem


def _integer(least: int, most: int) -> Rule:
    def problem(value: object) -> str | None:
        # True is an integer to Python, not to JSON.
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return None
        return f"must be an integer from {least} to {most}"

    return problem


def _day(value: object) -> str | None:
    problem = _form(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "2025-12-31")(value)
    if problem is None:
        try:
            date.fromisoformat(str(value))
        except ValueError:
            return "is not a day of the calendar"
    return problem


_RULES: Final[dict[str, Rule]] = {
    "policyId": _form(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", "POL-2025-001"),
    "memberName": _text(200),
    "claimType": _form(r"[a-z][a-z-]{0,31}", "dental"),
    # In the currency's smallest unit, so that no sum is ever rounded.
    "amount": _integer(1, 1_000_000_000_000),
    "currency": _form(r"[A-Z]{3}", "EUR"),
    "occurredOn": _day,
    "description": _text(2000),
}
_OPTIONAL: Final = frozenset({"description"})

FIELDS: Final = tuple(_RULES)
"""The names of the fields that a client may write."""
