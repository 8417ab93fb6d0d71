"""Claims as items of the table, and which of its items are claims.

Other tools write to the table too: an import, a mending hand. An item is a claim if it has a
claim's key, a version and a time of creation; what else of it cannot be read is left out. The log
names the key of what is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aws_lambda_powertools import Logger

from claims.claim import FIELDS, is_claim_id
from claims.cursor import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claims.claim import Claim

Item: TypeAlias = dict[str, dict[str, str]]
"""Attributes as DynamoDB writes them."""

_MEMBER, _CLAIM = "MEMBER#", "CLAIM#"
_INTEGERS: Final = frozenset({"amount", "version"})
_SHOWN: Final = (*FIELDS, "version", "createdAt", "updatedAt")

logger = Logger(service="claims", child=True)


def partition(member_id: str) -> str:
    """The partition key of all that is a member's."""
    return f"{_MEMBER}{member_id}"


def key(member_id: str, claim_id: str) -> Item:
    """A claim's primary key."""
    return {"PK": {"S": partition(member_id)}, "SK": {"S": f"{_CLAIM}{claim_id}"}}


def profile_key(member_id: str) -> Item:
    """The primary key of a member's profile, which the members service shows."""
    return {"PK": {"S": partition(member_id)}, "SK": {"S": "PROFILE"}}


def value(plain: str | int) -> dict[str, str]:
    """A text or an integer as an attribute."""
    return {"N": str(plain)} if isinstance(plain, int) else {"S": plain}


def write(claim: Claim, fingerprint: str) -> Item:
    """A claim's item, with the fingerprint of the request that made it."""
    own = {name: value(plain) for name, plain in claim.items()}
    made_by = {"fingerprint": value(fingerprint)}
    return key(str(claim["memberId"]), str(claim["claimId"])) | own | made_by


def read(item: Mapping[str, Mapping[str, Any]]) -> Claim | None:
    """The claim that an item holds; None where it holds none."""
    claim_id = claim_id_of(item)
    plain = {name: _plain(name, item[name]) for name in _SHOWN if name in item}
    claim = {name: found for name, found in plain.items() if found is not None}
    version = claim.get("version")
    is_claim = (
        claim_id is not None and isinstance(version, int) and version > 0 and "createdAt" in claim
    )
    if (len(claim) < len(plain) or not is_claim) and not _is_known(item):
        logger.warning(
            "item of another form",
            key=f"{item['PK']['S']}/{item['SK']['S']}",
            unreadable=sorted(plain.keys() - claim.keys()),
            is_claim=is_claim,
        )
    if not is_claim:
        return None
    return {**claim, "memberId": item["PK"]["S"].removeprefix(_MEMBER), "claimId": str(claim_id)}


def _is_known(item: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether an item that is no claim is one that the services write: a tombstone, a profile."""
    return item["SK"]["S"] == "PROFILE" or ("deletedAt" in item and "createdAt" not in item)


def claim_id_of(item: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The claim's id in an item's key; None in a key that is no claim's."""
    sort_key = str(item["SK"]["S"])
    claim_id = sort_key.removeprefix(_CLAIM)
    return claim_id if sort_key.startswith(_CLAIM) and is_claim_id(claim_id) else None


def place_of(index_key: Mapping[str, Mapping[str, Any]]) -> Place | None:
    """Where in a member's claims a key of the index ByCreation is; None for no claim's."""
    claim_id = claim_id_of(index_key)
    return None if claim_id is None else Place(index_key["createdAt"]["S"], claim_id)


def _plain(name: str, attribute: Mapping[str, Any]) -> str | int | None:
    """An attribute's text or integer; None where it is of another type."""
    if name not in _INTEGERS:
        return attribute.get("S")
    try:
        return int(attribute["N"])
    except (KeyError, ValueError):
        return None
