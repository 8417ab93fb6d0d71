"""Claims that many write at once: the table decides, by one condition for each write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

from claims.claim import new_claim
from claims.idempotency import claim_id_for, fingerprint
from claims.storage import Claims, ConflictError, KeyReusedError

if TYPE_CHECKING:
    from collections.abc import Callable

WRITERS = 100
FIELDS: dict[str, Any] = {
    "policyId": "POL-2025-001",
    "memberName": "Ada Lovelace",
    "claimType": "dental",
    "amount": 12050,
    "currency": "EUR",
    "occurredOn": "2025-03-12",
}


def at_once(write: Callable[[int], Any]) -> list[Any]:
    """What each of a hundred threads gets, or the exception it met."""
    start = Barrier(WRITERS)

    def run(number: int) -> Any:
        start.wait()
        try:
            return write(number)
        except (ConflictError, KeyReusedError) as error:
            return error

    with ThreadPoolExecutor(WRITERS) as threads:
        return list(threads.map(run, range(WRITERS)))


def created(claims: Claims, number: int, fields: dict[str, Any] = FIELDS) -> Any:
    """Create a claim as the route does, each attempt at its own time."""
    claim_id = claim_id_for("m-1001", "one key")
    at = f"2025-03-14T09:26:53.{number:06}Z"
    claim = new_claim(fields, member_id="m-1001", claim_id=claim_id, created_at=at)
    return claims.add(claim, fingerprint(fields))


def test_a_hundred_requests_with_one_key_make_one_claim(table: Any, items: Any) -> None:
    """All of them are told of the same one."""
    claims = Claims(table)
    answers = at_once(lambda number: created(claims, number))
    (stored,) = (item for item in items() if item["SK"]["S"].startswith("CLAIM#"))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["createdAt"] == stored["createdAt"]["S"]
    assert claims.newest("m-1001", limit=100) == ([answers[0]], None)


def test_of_a_hundred_claims_with_one_key_one_is_made(table: Any) -> None:
    """The others learn that the key was used for another claim."""
    claims = Claims(table)
    answers = at_once(lambda number: created(claims, number, FIELDS | {"amount": number + 1}))
    made = [answer for answer in answers if isinstance(answer, dict)]
    assert len(made) == 1
    assert sum(isinstance(answer, KeyReusedError) for answer in answers) == WRITERS - 1
    assert claims.newest("m-1001", limit=100) == (made, None)


def test_of_a_hundred_updates_of_one_version_one_is_made(table: Any) -> None:
    """The others meet a conflict, and nothing of theirs is mixed in."""
    claims = Claims(table)
    claim = created(claims, 0)
    claim_id = claim["claimId"]

    def update(number: int) -> Any:
        fields = FIELDS | {"amount": number + 1, "description": f"by {number}"}
        at = "2025-03-15T00:00:00.000000Z"
        return claims.change(
            fields, member_id="m-1001", claim_id=claim_id, version=1, updated_at=at
        )

    answers = at_once(update)
    (made,) = (answer for answer in answers if isinstance(answer, dict))
    assert sum(isinstance(answer, ConflictError) for answer in answers) == WRITERS - 1
    assert claims.find("m-1001", claim_id) == made
    assert made["version"] == 2
    assert made["description"] == f"by {made['amount'] - 1}"


def test_of_a_hundred_deletions_one_finds_the_claim(table: Any) -> None:
    """And a creation with the same key does not bring it back in between."""
    claims = Claims(table)
    claim_id = created(claims, 0)["claimId"]

    def delete(number: int) -> bool:
        at = f"2025-03-15T00:00:00.{number:06}Z"
        return claims.remove("m-1001", claim_id, deleted_at=at, expires_at=1)

    assert sum(at_once(delete)) == 1
    assert claims.find("m-1001", claim_id) is None
