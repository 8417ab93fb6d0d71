"""Which version of a claim a client has seen: `ETag` out, `If-Match` in (RFC 9110, 13.1.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claims.claim import Claim

_TAG = re.compile(r'"([1-9][0-9]{0,14})"')


def etag(claim: Claim) -> str:
    """The tag of a claim's version."""
    return f'"{claim["version"]}"'


def version_of(if_match: str) -> int | None:
    """The version that one strong tag names; None for anything else."""
    tag = _TAG.fullmatch(if_match.strip())
    return int(tag[1]) if tag else None
