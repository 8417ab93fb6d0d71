"""Where a page of claims ends, as a text that clients hand back and do not read.

A cursor is a place in one member's claims, named by time and id; the member comes from the path.
So one that was made up is either malformed, and refused, or a place in the same claims: there is
nothing to gain by it, and nothing to sign.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from claims.claim import is_claim_id

_CURSOR = re.compile(r"([A-Za-z0-9_-]{4}){1,400}")
# Of a key of DynamoDB's, in UTF-8.
_LONGEST = 1024


class Place(NamedTuple):
    """The last claim of a page."""

    created_at: str
    claim_id: str


def write(place: Place) -> str:
    """The cursor for a place."""
    text = f"{place.created_at}/{place.claim_id}".encode()
    # Three bytes are four characters; what is left over would need signs that a URL escapes.
    return urlsafe_b64encode(text + b" " * (-len(text) % 3)).decode()


def read(cursor: str) -> Place | None:
    """The place that a cursor stands for; None for what `write` did not write."""
    if not _CURSOR.fullmatch(cursor):
        return None
    try:
        text = urlsafe_b64decode(cursor).decode()
    except UnicodeDecodeError:
        return None
    created_at, _, claim_id = text.rstrip(" ").rpartition("/")
    if not 0 < len(created_at.encode()) <= _LONGEST or not is_claim_id(claim_id):
        return None
    return Place(created_at, claim_id)
