"""Signature Version 4, from the receiving side: recomputed from the bytes on the wire.

Written apart from the signing layer, so that signer and verifier cannot share one mistake.
Source: IAM User Guide, "Create a signed AWS API request" and "Troubleshoot Signature Version 4
signing"; the wording of the refusals and the five minutes of tolerance are as public reports
quote API Gateway.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

ALGORITHM = "AWS4-HMAC-SHA256"
TOLERANCE = timedelta(minutes=5)
SERVICE = "execute-api"

_AMZ_DATE = "%Y%m%dT%H%M%SZ"
_BASIC_FORMAT = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
# Not \s: a header's bytes beyond ASCII are part of its value.
_SPACES = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request as it arrived: `path` and `query` undecoded, header names in lower case."""

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        """All values of a header, in order, as they came."""
        wanted = name.encode("latin-1")
        return [value.decode("latin-1") for key, value in self.headers if key == wanted]


_SCOPE = "Credential should be scoped to "
_MISMATCH = "The request signature we calculated does not match the signature you provided."


class SignatureProblem(Exception):  # noqa: N818 - it is a finding about a request, not a fault
    """What a request carries does not prove an identity. `error_type` as API Gateway names it.

    `attempted` is false for another scheme (a bearer token), which is no signature at all;
    `unknown` is true where nobody has said what AWS makes of it.
    """

    def __init__(
        self, error_type: str, message: str, *, attempted: bool = True, unknown: bool = False
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.attempted = attempted
        self.unknown = unknown
        # What the signer did otherwise, where that was found out.
        self.mistakes: tuple[str, ...] = ()

    @property
    def is_mismatch(self) -> bool:
        """Whether it is another signature than the request makes."""
        return self.message.startswith(_MISMATCH)

    @property
    def is_out_of_scope(self) -> bool:
        """Whether it is of another region or service."""
        return self.message.startswith(_SCOPE)

    @property
    def summary(self) -> str:
        """The finding in a few words, without the request that `message` may echo."""
        if self.is_mismatch:
            told = "; ".join(self.mistakes) or "not the one that this request makes with that key"
            return f"wrong signature: {told}"
        return "; ".join((self.message.partition("\n")[0], *self.mistakes))


@dataclass(frozen=True, slots=True)
class Claim:
    """What a signature claims: whose key, which scope, which headers are signed.

    `tokens` are the session tokens that came with it; `expires` is for how many seconds a
    signature in the query is good, None for one in a header.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    tokens: tuple[str, ...] = ()
    expires: int | None = None

    @property
    def scope(self) -> str:
        """The credential scope, `DATE/REGION/SERVICE/aws4_request`."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read_claim(request: WireRequest) -> Claim | None:
    """The signature a request claims to carry; None when it carries no Authorization header.

    Raises SignatureProblem for a header that is not a complete SigV4 one.
    """
    headers = request.values("authorization")
    if not headers:
        return None
    if len(headers) > 1:
        raise incomplete("Authorization header was sent more than once.")
    algorithm, _, rest = headers[0].partition(" ")
    if algorithm != ALGORITHM:
        # SigV4a, which nobody here can verify, is a signature all the same.
        raise incomplete(
            "Authorization header requires 'Credential' parameter. "
            "Authorization header requires 'Signature' parameter. "
            "Authorization header requires 'SignedHeaders' parameter. "
            f"Only {ALGORITHM} is supported.",
            attempted=algorithm.startswith("AWS4-"),
        )
    parameters: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip(" \t").partition("=")
        if not equals or name in parameters:
            raise incomplete("Invalid or repeated key=value pair in Authorization header.")
        parameters[name] = value
    timestamps = request.values("x-amz-date") or request.values("date")
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parameters.get(name)
    ]
    if len(timestamps) != 1:
        missing.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    if missing:
        raise incomplete(" ".join(missing))
    return claimed(
        parameters["Credential"],
        parameters["SignedHeaders"],
        parameters["Signature"],
        timestamps[0],
        tokens=tuple(request.values("x-amz-security-token")),
    )


def claimed(
    credential: str,
    signed_headers: str,
    signature: str,
    timestamp: str,
    *,
    tokens: tuple[str, ...],
    expires: int | None = None,
) -> Claim:
    """A claim of its parts as they were sent. Raises SignatureProblem."""
    elements = credential.split("/")
    if not credential.isprintable():  # it is repeated below and in logs
        raise incomplete("Credential has characters that are not printable.")
    if len(elements) != len(("key", "date", "region", "service", "aws4_request")):
        raise incomplete("Credential must have exactly 5 slash-delimited elements.")
    key, date, region, service, terminator = elements
    if terminator != "aws4_request":
        raise _invalid("Credential should be scoped with a valid terminator: 'aws4_request'.")
    return Claim(
        access_key_id=key,
        date=date,
        region=region,
        service=service,
        signed_headers=tuple(signed_headers.split(";")),
        signature=signature,
        timestamp=timestamp,
        tokens=tokens,
        expires=expires,
    )


def verify(
    request: WireRequest, claim: Claim, *, secret_key: str, region: str, now: datetime
) -> None:
    """Recompute a request's signature; raises SignatureProblem when it is not the claimed one."""
    if claim.region != region:
        raise _invalid(f"{_SCOPE}a valid region, not '{claim.region}'.")
    if claim.service != SERVICE:
        raise _invalid(f"{_SCOPE}correct service: '{SERVICE}'.")
    _check_date(claim, now)
    if "host" not in claim.signed_headers:
        raise _invalid(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization header."
        )
    canonical, to_sign = to_be_signed(request, claim)
    if not is_signed(to_sign, claim, secret_key):
        raise _invalid(
            f"{_MISMATCH} "
            "Check your AWS Secret Access Key and signing method. Consult the service "
            "documentation for details.\n\n"
            f"The Canonical String for this request should have been\n'{canonical}'\n\n"
            f"The String-to-Sign should have been\n'{to_sign}'\n"
        )


def to_be_signed(request: WireRequest, claim: Claim) -> tuple[str, str]:
    """The canonical request and the string to sign that a request makes with a claim's scope."""
    canonical = canonical_request(as_signed(request, claim), claim.signed_headers)
    digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    return canonical, f"{ALGORITHM}\n{claim.timestamp}\n{claim.scope}\n{digest}"


def as_signed(request: WireRequest, claim: Claim) -> WireRequest:
    """A request without the signature that a presigned one has in its query."""
    if claim.expires is None:
        return request
    return replace(request, query=_without_signature(request.query))


def is_signed(to_sign: str, claim: Claim, secret_key: str) -> bool:
    """Whether a claim's signature is the one of a string to sign."""
    key = derived_key(secret_key, claim.date, claim.region, claim.service)
    expected = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return hmac.compare_digest(expected.encode(), claim.signature.encode("latin-1"))


def canonical_request(request: WireRequest, signed_headers: Sequence[str]) -> str:
    r"""The canonical request: six parts joined by newlines.

    METHOD, canonical path, canonical query, `name:value\n` of each signed header, the signed
    names, SHA-256 of the body in hex.
    """
    found: dict[bytes, list[bytes]] = {}
    for key, value in request.headers:
        found.setdefault(key, []).append(_folded(value))
    names = [name.encode("latin-1") for name in signed_headers]
    # A signed header that did not arrive has no line: what was signed cannot be left out.
    headers = b"".join(
        b"%b:%b\n" % (name, b",".join(found[name])) for name in names if name in found
    )
    return "\n".join(
        (
            request.method,
            canonical_path(request.path),
            _canonical_query(request.query),
            headers.decode("latin-1"),
            ";".join(signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def _folded(value: bytes) -> bytes:
    return _SPACES.sub(b" ", value).strip(b" ")


def folded(value: str) -> str:
    """A header's value as it is signed: trimmed, one space for several."""
    return _folded(value.encode("latin-1")).decode("latin-1")


def canonical_path(path: bytes) -> str:
    """A path as it is signed: normalised, then encoded once more than it was sent."""
    return quote(normalised(path), safe="/-_.~")


def normalised(path: bytes) -> bytes:
    """A path without empty and dot segments."""
    segments: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            del segments[-1:]
        elif segment not in (b"", b"."):
            segments.append(segment)
    normal = b"/" + b"/".join(segments)
    if segments and path.endswith((b"/", b"/.", b"/..")):
        normal += b"/"
    return normal


def _canonical_query(query: bytes) -> str:
    if not query:
        return ""
    pairs = []
    for part in query.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            pairs.append((requoted(name), requoted(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _without_signature(query: bytes) -> bytes:
    return b"&".join(
        part for part in query.split(b"&") if requoted(part.partition(b"=")[0]) != "X-Amz-Signature"
    )


def requoted(text: bytes) -> str:
    """A name or value of a query as it is signed: decoded, `+` as a space, and encoded."""
    return quote(unquote_to_bytes(text.replace(b"+", b" ")), safe="-_.~")


def _check_date(claim: Claim, now: datetime) -> None:
    signed_at = _moment(claim.timestamp)
    if signed_at is None:
        raise incomplete("Date must be in ISO-8601 'basic format'.")
    if claim.timestamp[:8] != claim.date:
        raise _invalid(
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
            f"from HTTP: '{claim.date}' != '{claim.timestamp[:8]}'."
        )
    clock = now.strftime(_AMZ_DATE)
    good_for = TOLERANCE if claim.expires is None else timedelta(seconds=claim.expires)
    if signed_at < now - good_for:
        limit = (now - good_for).strftime(_AMZ_DATE)
        how_long = "5 min." if claim.expires is None else f"{claim.expires} s"
        raise _invalid(
            f"Signature expired: {claim.timestamp} is now earlier than {limit} "
            f"({clock} - {how_long})"
        )
    if signed_at > now + TOLERANCE:
        limit = (now + TOLERANCE).strftime(_AMZ_DATE)
        raise _invalid(
            f"Signature not yet current: {claim.timestamp} is still later than {limit} "
            f"({clock} + 5 min.)"
        )


def _moment(timestamp: str) -> datetime | None:
    """The time of `20150830T123600Z`; None for anything else."""
    if not _BASIC_FORMAT.fullmatch(timestamp):
        return None
    try:
        return datetime.fromisoformat(timestamp)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def derived_key(secret_key: str, date: str, region: str, service: str) -> bytes:
    """The key that a scope's signatures are made with."""
    key = b"AWS4" + secret_key.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def unknown_key() -> SignatureProblem:
    """No such access key, or its session token is missing, wrong or over."""
    return SignatureProblem(
        "UnrecognizedClientException", "The security token included in the request is invalid."
    )


def expired_token() -> SignatureProblem:
    """The session token was valid once."""
    return SignatureProblem(
        "ExpiredTokenException", "The security token included in the request is expired"
    )


def incomplete(message: str, *, attempted: bool = True) -> SignatureProblem:
    """A signature that lacks a part, or has one twice."""
    return SignatureProblem("IncompleteSignatureException", message, attempted=attempted)


def _invalid(message: str) -> SignatureProblem:
    return SignatureProblem("InvalidSignatureException", message)
