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

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_CURSOR = re.compile(r"[A-Za-z0-9_-]{88}")


class Place(NamedTuple):
    """The last claim of a page."""

    created_at: str
    claim_id: str


def write(place: Place) -> str:
    """The cursor for a place."""
    # 27 + 1 + 36 characters, and two of padding that would need escaping in a URL.
    text = f"{place.created_at}/{place.claim_id}  "
    return urlsafe_b64encode(text.encode()).decode()


def read(cursor: str) -> Place | None:
    """The place that a cursor stands for; None for what `write` did not write."""
    if not _CURSOR.fullmatch(cursor):
        return None
    try:
        text = urlsafe_b64decode(cursor).decode("ascii")
    except UnicodeDecodeError:
        return None
    created_at, _, claim_id = text.removesuffix("  ").partition("/")
    if not _TIMESTAMP.fullmatch(created_at) or not is_claim_id(claim_id):
        return None
    return Place(created_at, claim_id)
