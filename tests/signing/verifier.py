"""Checks a signature from the bytes of a request alone; shares no code with the signer.

Written from the AWS IAM User Guide ("Create a signed AWS API request") and RFC 3986, 5.2.4.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
MUST_BE_SIGNED = (b"host", b"x-amz-date", b"x-amz-security-token", b"content-type")
AUTHORIZATION = re.compile(
    rb"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
    rb"SignedHeaders=([^\s,]+), Signature=([0-9a-f]{64})"
)


class WrongSignatureError(Exception):
    """The request would be refused."""


@dataclass(frozen=True)
class Wire:
    """A request as it came: nothing decoded, nothing joined, the body without its framing."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def all(self, name: str) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name.lower().encode()]

    def one(self, name: str) -> str:
        values = self.all(name)
        if len(values) != 1:
            raise WrongSignatureError(f"{name} came {len(values)} times")
        return values[0].decode("latin-1")


@dataclass(frozen=True)
class Secret:
    """What the verifying side knows of an access key."""

    key: str
    token: str | None = None


def verify(
    wire: Wire,
    secrets: dict[str, Secret],
    *,
    region: str,
    service: str = "execute-api",
    now: datetime | None = None,
) -> str:
    """Return the access key id of a request that is signed right; raise WrongSignatureError."""
    parsed = AUTHORIZATION.fullmatch(wire.one("authorization").encode("latin-1"))
    if parsed is None:
        raise WrongSignatureError("malformed Authorization")
    access_key, date, *scope = (part.decode() for part in parsed.groups()[:4])
    if scope != [region, service]:
        raise WrongSignatureError(f"signed for {scope}")
    secret = secrets.get(access_key)
    if secret is None or secret.token != (
        wire.one("x-amz-security-token") if secret.token else None
    ):
        raise WrongSignatureError("unknown key, or another key's token")
    moment = wire.one("x-amz-date")
    age = (now or datetime.now(UTC)) - datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(
        tzinfo=UTC
    )
    if not moment.startswith(date) or abs(age) > timedelta(minutes=5):
        raise WrongSignatureError(f"Signature expired: {moment}")

    names = parsed[5].split(b";")
    for name in {key.lower() for key, _ in wire.headers}:
        needed = name in MUST_BE_SIGNED or name.startswith(b"x-amz-")
        if needed and name not in names:
            raise WrongSignatureError(f"{name!r} is not signed")
    canonical = canonical_request(wire, names)
    to_sign = b"\n".join(
        (
            b"AWS4-HMAC-SHA256",
            moment.encode(),
            f"{date}/{region}/{service}/aws4_request".encode(),
            hashlib.sha256(canonical).hexdigest().encode(),
        )
    )
    key = ("AWS4" + secret.key).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    if hmac.new(key, to_sign, hashlib.sha256).hexdigest().encode() != parsed[6]:
        raise WrongSignatureError(canonical.decode("utf-8", "replace"))
    return access_key


def canonical_request(wire: Wire, names: list[bytes]) -> bytes:
    """Put a request into canonical form, with these headers."""
    path, _, query = wire.target.partition(b"?")
    lines = []
    for name in names:
        values = [_trimmed(value) for key, value in wire.headers if key.lower() == name]
        if not values:
            raise WrongSignatureError(f"{name!r} is signed but did not come")
        lines.append(name + b":" + b",".join(values) + b"\n")
    hashed = wire.all("x-amz-content-sha256")
    if hashed != [b"UNSIGNED-PAYLOAD"]:
        hashed = [hashlib.sha256(wire.body).hexdigest().encode()]
    return b"\n".join(
        (wire.method, _path(path), _query(query), b"".join(lines), b";".join(names), hashed[0])
    )


def _path(path: bytes) -> bytes:
    rest, kept = re.sub(rb"/+", b"/", path), b""
    while rest:  # RFC 3986, 5.2.4, letter by letter
        if rest.startswith(b"/./") or rest == b"/.":
            rest = b"/" + rest[3:]
        elif rest.startswith(b"/../") or rest == b"/..":
            rest, kept = b"/" + rest[4:], kept[: max(kept.rfind(b"/"), 0)]
        else:
            segment = re.match(rb"/?[^/]*", rest)
            assert segment
            kept, rest = kept + segment[0], rest[segment.end() :]
    return _encoded(kept or b"/", UNRESERVED + b"/")


def _query(query: bytes) -> bytes:
    pairs = []
    for pair in filter(None, query.split(b"&")):
        name, _, value = pair.partition(b"=")
        pairs.append((_encoded(_decoded(name)), _encoded(_decoded(value))))
    return b"&".join(name + b"=" + value for name, value in sorted(pairs))


def _decoded(text: bytes) -> bytes:
    spaced = text.replace(b"+", b" ")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda code: bytes([int(code[1], 16)]), spaced)


def _encoded(text: bytes, kept: bytes = UNRESERVED) -> bytes:
    return b"".join(bytes([byte]) if byte in kept else b"%%%02X" % byte for byte in text)


def _trimmed(value: bytes) -> bytes:
    return re.sub(rb"[ \t\r\n\v\f]+", b" ", value).strip(b" ")
