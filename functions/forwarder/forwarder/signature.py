"""The proof of a delivery: that who sent it knows the secret.

What is signed is the body as it came and, with some providers, the time before it. Headers are not
signed, so nothing else that they say is proven.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forwarder.providers import Provider

    Headers = Iterable[tuple[str, str]]

_DIGESTS = {"hex": re.compile(r"[0-9a-fA-F]{64}"), "base64": re.compile(r"[0-9A-Za-z+/]{43}=")}
_TIME = re.compile(r"[0-9]{1,12}")


class Proof(NamedTuple):
    """What a request claims: digests, or the secret itself; `time` in seconds since the epoch."""

    claimed: tuple[bytes, ...]
    signed_before: bytes
    time: int | None


def given(provider: Provider, headers: Headers) -> Proof | None:
    """The proof in a request's headers; None where there is none, or something else."""
    headers = tuple(headers)
    value = only(headers, provider.header)
    if not value:
        return None
    elements = value.split(",") if provider.is_list else [value]
    claimed = [one for text in elements if (one := _claimed(provider, text)) is not None]
    if not claimed:
        return None
    if provider.tolerance is None:
        return Proof(tuple(claimed), provider.signed_before.encode(), None)
    if provider.timestamp is None:
        times = [text[2:] for text in elements if text.startswith("t=")]
    else:
        times = [only(headers, provider.timestamp) or ""]
    if len(times) != 1 or not _TIME.fullmatch(times[0]):
        return None
    # As it was sent: its text is signed, not its number.
    signed_before = provider.signed_before.replace("{t}", times[0]).encode()
    return Proof(tuple(claimed), signed_before, int(times[0]))


def matches(provider: Provider, proof: Proof, body: bytes, secrets: Sequence[bytes]) -> bool:
    """Whether one of the secrets makes what is claimed.

    Each is tried, and compared in constant time: how long it takes tells nothing about them.
    """
    found = False
    for secret in secrets:
        if provider.form == "secret":
            # Digests of both, which are equally long, whatever the secret's length.
            expected = hashlib.sha256(secret).digest()
            claimed = [hashlib.sha256(one).digest() for one in proof.claimed]
        else:
            expected = hmac.digest(secret, proof.signed_before + body, hashlib.sha256)
            claimed = list(proof.claimed)
        for one in claimed:
            found |= hmac.compare_digest(expected, one)
    return found


def is_timely(provider: Provider, proof: Proof, now: float) -> bool:
    """Whether a proof is as young as its provider's must be."""
    if provider.tolerance is None:
        return True
    return proof.time is not None and abs(now - proof.time) <= provider.tolerance


def only(headers: Headers, name: str) -> str | None:
    """The value of a header that was given once; None otherwise."""
    values = [value for given, value in headers if given.lower() == name]
    return values[0] if len(values) == 1 else None


def _claimed(provider: Provider, text: str) -> bytes | None:
    if not text.startswith(provider.prefix):
        return None
    value = text.removeprefix(provider.prefix)
    if provider.form == "secret":
        return value.encode("latin-1", "replace")
    if not _DIGESTS[provider.form].fullmatch(value):
        return None
    return bytes.fromhex(value) if provider.form == "hex" else b64decode(value)
