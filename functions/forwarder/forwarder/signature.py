"""GitHub's signature of a delivery: HMAC with SHA-256 over the body as it came.

Source: GitHub Docs, "Validating webhook deliveries": `X-Hub-Signature-256: sha256=<64 hex digits>`.
The headers are not signed, so nothing they say is proven by it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NAME = "x-hub-signature-256"
_SIGNATURE = re.compile(r"sha256=([0-9a-fA-F]{64})")


def given(headers: Iterable[tuple[str, str]]) -> bytes | None:
    """The digest a request claims; None where there is none, more than one or something else."""
    values = [value for name, value in headers if name.lower() == _NAME]
    if len(values) != 1:
        return None
    found = _SIGNATURE.fullmatch(values[0])
    return bytes.fromhex(found[1]) if found else None


def matches(digest: bytes, body: bytes, secrets: Sequence[bytes]) -> bool:
    """Whether one of the secrets makes this digest of the body.

    Each is tried, and compared in constant time: how long it takes tells nothing about them.
    """
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(hmac.digest(secret, body, hashlib.sha256), digest)
    return found
