"""What is a claim and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from claims.claim import (
    InvalidClaimError,
    is_claim_id,
    new_claim,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st
from insurance.member_id import is_member_id

VALID: dict[str, Any] = {
    "policyId": "POL-2025-001",
    "memberName": "Ada Lovelace",
    "claimType": "dental",
    "amount": 12050,
    "currency": "EUR",
    "occurredOn": "2025-03-12",
}


def test_a_valid_body_is_the_claim_as_it_was_sent() -> None:
    """Parsing changes nothing of what a client says."""
    claim = {**VALID, "description": "Zähne\n\N{MAN}\u200d\N{STAFF OF AESCULAPIUS}"}
    assert parse(json.dumps(claim)) == claim


@pytest.mark.parametrize("name", sorted(VALID))
def test_every_field_but_the_description_is_needed(name: str) -> None:
    """A body without one of them is refused, and the answer names it."""
    with pytest.raises(InvalidClaimError) as refused:
        parse(json.dumps({key: value for key, value in VALID.items() if key != name}))
    assert refused.value.errors == [{"field": name, "problem": "is missing"}]


@pytest.mark.parametrize(
    "name", ["PK", "SK", "memberId", "claimId", "version", "createdAt", "updatedAt", "status", ""]
)
def test_no_other_field_is_taken(name: str) -> None:
    """Keys, ids, version and timestamps are the service's, and unknown fields are mistakes."""
    with pytest.raises(InvalidClaimError) as refused:
        parse(json.dumps({**VALID, name: "x"}))
    assert refused.value.errors == [{"field": name, "problem": "is not a field of a claim"}]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("policyId", "POL 1"),
        ("policyId", "POL-1\n"),
        ("policyId", 1),
        ("memberName", ""),
        ("memberName", "   "),
        ("memberName", "x" * 201),
        ("memberName", "Ada\x00"),
        ("memberName", "\ud800"),
        ("memberName", ["Ada"]),
        ("memberName", None),
        ("claimType", "Dental"),
        ("amount", 0),
        ("amount", -1),
        ("amount", 10**12 + 1),
        ("amount", 120.5),
        ("amount", "120"),
        ("amount", True),
        ("currency", "eur"),
        ("currency", "\N{FULLWIDTH LATIN CAPITAL LETTER E}UR"),
        ("occurredOn", "2025-02-30"),
        ("occurredOn", "20250212"),
        ("occurredOn", "2025-W01-1"),
        ("occurredOn", "202\N{ARABIC-INDIC DIGIT FIVE}-01-01"),
        ("description", ""),
        ("description", "x" * 2001),
        ("description", {}),
    ],
)
def test_a_wrong_value_is_refused_by_its_field(name: str, value: object) -> None:
    """Wrong types, forms, ranges and lengths are told apart by field."""
    with pytest.raises(InvalidClaimError) as refused:
        parse(json.dumps({**VALID, name: value}))
    assert [error["field"] for error in refused.value.errors] == [name]


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "{",
        "[]",
        "null",
        '"claim"',
        "1",
        "NaN",
        "[" * 9000,
        "{" + '"a":{' * 2500,
        "9" * 5000,
    ],
)
def test_what_is_no_json_object_is_refused(body: str) -> None:
    """Nothing that the parser chokes on gets through as another error."""
    with pytest.raises(InvalidClaimError):
        parse(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(VALID)), inner),
)


@given(st.text() | JSON.map(json.dumps))
def test_any_body_is_a_claim_or_refused(body: str) -> None:
    """No body whatever ends in another error."""
    try:
        claim = parse(body)
    except InvalidClaimError:
        return
    assert claim.keys() >= VALID.keys()


def test_a_new_claim_has_what_the_service_adds() -> None:
    """Ids, version and both timestamps come from the service."""
    claim = new_claim(
        VALID, member_id="m-1", claim_id="c", created_at="2025-01-01T00:00:00.000000Z"
    )
    assert claim == VALID | {
        "memberId": "m-1",
        "claimId": "c",
        "version": 1,
        "createdAt": "2025-01-01T00:00:00.000000Z",
        "updatedAt": "2025-01-01T00:00:00.000000Z",
    }


@pytest.mark.parametrize("text", ["m-1001", "A", "0_x", "x" * 64])
def test_member_ids(text: str) -> None:
    """Letters, digits, hyphens and underscores."""
    assert is_member_id(text)


@pytest.mark.parametrize(
    "text", ["", "-", ".", "..", "a/b", "a%2Fb", "a#b", "é", "a b", "a\n", "x" * 65, "m-1001\x00"]
)
def test_no_member_ids(text: str) -> None:
    """Whatever could mean something to a path or a key is none."""
    assert not is_member_id(text)


def test_claim_ids_are_lower_case_uuids() -> None:
    """One spelling for each claim."""
    assert is_claim_id("3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    assert not is_claim_id("3F2504E0-4F89-41D3-9A0C-0305E82C3301")
    assert not is_claim_id("3f2504e0-4f89-41d3-9a0c-0305e82c3301\n")
    assert not is_claim_id("PROFILE")
