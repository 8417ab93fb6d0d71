"""The API's model of a claim and the function's rules: two words for one thing.

API Gateway refuses what is not of the model before the function sees it. So the model may not
refuse what the function would take, and the function refuses whatever the model does, and besides
only what a schema cannot say.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from claims.claim import FIELDS, InvalidClaimError, parse
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from backstairs.template.load import load

TEMPLATE = load(Path(__file__).parents[2] / "template.yaml")
MODEL: dict[str, Any] = TEMPLATE["Resources"]["ClaimsApi"]["Properties"]["Models"]["Claim"]
VALID = {
    "policyId": "POL-2025-001",
    "memberName": "Ada Lovelace",
    "claimType": "dental",
    "amount": 12050,
    "currency": "EUR",
    "occurredOn": "2025-03-12",
    "description": "A filling",
}
# What a schema cannot say, in the function's words.
BEYOND_SCHEMAS = ("is not a day of the calendar", "contains control characters")


def model_takes(claim: object) -> bool:
    """Whether API Gateway would pass it on (its models are JSON Schema draft 4)."""
    return bool(Draft4Validator(MODEL).is_valid(claim))


def problems(claim: object) -> list[str] | None:
    """What the function finds wrong; None where it takes the claim."""
    try:
        parse(json.dumps(claim))
    except InvalidClaimError as error:
        return [one["problem"] for one in error.errors]
    return None


def test_both_know_the_same_fields() -> None:
    """Which there are, which must be there, and that there are no others."""
    assert MODEL["properties"].keys() == set(FIELDS)
    needed = {
        name
        for name in FIELDS
        if problems({key: value for key, value in VALID.items() if key != name}) is not None
    }
    assert set(MODEL["required"]) == needed
    assert MODEL["additionalProperties"] is False


TEXTS = (
    *("", " ", "x", "A", "EUR", "eur", "EURO", "dental", "POL-1", "-1", "a\n", "a\x00"),
    *("2025-03-12", "2025-02-30", "20250312"),
    *(letter * count for letter in "xé" for count in (32, 33, 64, 65, 200, 201, 2000, 2001)),
)
VALUES = (
    st.sampled_from(TEXTS)
    | st.integers()
    | st.sampled_from([0, 1, 10**12, 10**12 + 1, -1, 1.5, True, None])
    | st.text()
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=2), st.none(), max_size=1)
)
CHANGES = st.dictionaries(
    st.sampled_from([*VALID, "PK", "SK", "claimId", "memberId", "version", "createdAt"]),
    VALUES,
    max_size=3,
)


@given(changes=CHANGES, left_out=st.sets(st.sampled_from(sorted(VALID)), max_size=1))
@example(changes={"amount": 10**12}, left_out=set())
@example(changes={"amount": 10**12 + 1}, left_out=set())
@example(changes={"amount": True}, left_out=set())
@example(changes={"description": "x" * 2001}, left_out=set())
@example(changes={"occurredOn": "2025-02-30"}, left_out=set())
@example(changes={"memberName": "   "}, left_out=set())
def test_both_agree_on_what_a_claim_is(changes: dict[str, Any], left_out: set[str]) -> None:
    """Except for what a schema cannot say."""
    claim = {key: value for key, value in (VALID | changes).items() if key not in left_out}
    found = problems(claim)
    if found is None:
        assert model_takes(claim)
    elif model_takes(claim):
        blank = [value for value in claim.values() if isinstance(value, str) and not value.strip()]
        assert blank or all(problem in BEYOND_SCHEMAS for problem in found)


@pytest.mark.parametrize("claim", [[], None, "x", 1, {}])
def test_neither_takes_what_is_no_object(claim: object) -> None:
    """A claim is a JSON object with fields."""
    assert not model_takes(claim)
    assert problems(claim) is not None
