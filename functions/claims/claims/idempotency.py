"""One claim for one `Idempotency-Key`, however often and however concurrently it is sent.

The claim's id is made of member and key, so that one conditional write decides which request
makes the claim; the fingerprint of the request tells a repetition from another use of the key.
A key is remembered as long as its claim, and `REMEMBERED_DAYS` after the claim's deletion.

Source: IETF draft-ietf-httpapi-idempotency-key-header, which also has the 422.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

if TYPE_CHECKING:
    from collections.abc import Mapping

REMEMBERED_DAYS = 30

_KEYS = UUID("5b1f0a52-3c0e-4d1b-9f0e-8f6f6f0f3a11")
_KEY = re.compile("[\x21-\x7e]{1,255}")


def is_key(text: str) -> bool:
    """Whether a header's value can be a key: 1 to 255 printable ASCII characters, no spaces."""
    return _KEY.fullmatch(text) is not None


def claim_id_for(member_id: str, key: str | None) -> str:
    """The id of the claim that a key makes for a member; without a key an id of its own."""
    return str(uuid4() if key is None else uuid5(_KEYS, f"{member_id}/{key}"))


def fingerprint(fields: Mapping[str, object]) -> str:
    """What two requests with the same fields have in common, whatever their order and spacing."""
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
