"""AWS Signature Version 4: canonical request, string to sign, signature, headers.

Imports nothing beyond `hashlib`, `hmac`, `urllib.parse` and what they import, so that it may serve
any HTTP client. Source of every rule, unless noted otherwise: AWS IAM User Guide, "Create a signed
AWS API request" (reference_sigv-create-signed-request).
"""

import time
from functools import lru_cache
from hashlib import sha256

from .canonical import (
    DATE,
    add_header,
    canonical_path,
    canonical_query,
    header_lines,
    host_of,
    signed_name,
)
from .keys import Credentials, Redacted, signing_key

TYPE_CHECKING = False  # as in `typing`, without its import
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    Headers = Iterable[tuple[str, str | bytes]]

__all__ = [
    "ALGORITHM",
    "EMPTY_SHA256",
    "UNSIGNED_PAYLOAD",
    "Credentials",
    "Redacted",
    "canonical_request",
    "host_of",
    "sign",
    "signature",
    "string_to_sign",
]

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = sha256(b"").hexdigest()
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
# aws/aws-sdk-js-v3 308; IAM User Guide, which gives it to Amazon S3 only.
UNSIGNED_REFUSED = (
    "API Gateway hashes the body and refuses UNSIGNED-PAYLOAD: send bytes or a file, or let a "
    "session hash a stream first with spool=<most bytes>"
)

_AFTER_SCHEME = len("https://")


def canonical_request(
    *, method: str, path: str, query: str = "", headers: "Headers", payload_hash: str = EMPTY_SHA256
) -> str:
    r"""Return the canonical request, whose SHA-256 is what a signature covers.

    `path` and `query` are as on the request line, `headers` exactly those to sign (names in any
    case, repeated names allowed), `payload_hash` the hex SHA-256 of the body::

        GET\n
        /stage/members/a%2520b\n            dot segments and // resolved, each segment encoded again
        a=1&b=x%20y\n                       decoded, encoded, sorted by name and value
        host:api.example.com\n              lower case, sorted, runs of white space made one space
        x-amz-date:20150830T123600Z\n
        \n
        host;x-amz-date\n
        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

    Header bytes that are not UTF-8 show as surrogates; encode the result with `surrogateescape`.
    """
    merged: dict[str, str] = {}
    for name, value in headers:
        add_header(merged, name.lower(), value)
    lines, _, names = header_lines(tuple(merged.items()))
    path, query = canonical_path(path), canonical_query(query)
    return f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload_hash}"


def string_to_sign(*, canonical: str, timestamp: str, scope: str) -> str:
    r"""Return what the derived key signs.

    ::

        AWS4-HMAC-SHA256\n
        20150830T123600Z\n                              timestamp, as in X-Amz-Date
        20150830/us-east-1/execute-api/aws4_request\n   scope
        <hex SHA-256 of the canonical request>
    """
    hashed = sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashed}"


def signature(
    *, to_sign: str, credentials: Credentials, date: str, region: str, service: str
) -> str:
    """Return the hex signature of a string to sign; `date` is like `20150830`.

    ::

        key = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request")
    """
    return signing_key(credentials.secret_access_key, date, region, service).sign(to_sign)


def sign(
    *,
    method: str,
    url: str,
    headers: "Headers" = (),
    body: bytes | str = b"",
    credentials: Credentials,
    region: str,
    service: str,
    host: str | None = None,
    payload_hash: str | None = None,
    at: float | None = None,
    also: "Collection[str]" = (),
) -> dict[str, str]:
    """Return the headers to set so that one request is signed; nothing passed in is changed.

    `url` is the URL as sent, percent-encoded; `headers` are those the request will carry. Signed
    are host, content-type, x-apigw-api-id, every x-amz-* header and those named in `also` (lower
    case). The Host is that of `headers`, else `host`, else the URL's. `payload_hash` stands for a
    body that is hashed elsewhere, or is `UNSIGNED_PAYLOAD`, which raises UnsignableBody for
    API Gateway. `at` is the time in seconds since the epoch, else now. The answer::

        Host: api.example.com
        X-Amz-Date: 20150830T123600Z
        X-Amz-Security-Token: ...                  for temporary credentials
        X-Amz-Content-Sha256: UNSIGNED-PAYLOAD     if so asked, of another service
        Authorization: AWS4-HMAC-SHA256
            Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request,
            SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8ed...
    """
    signed: dict[str, str] = {}
    for name, value in headers:
        if (lower := signed_name(name)) or (lower := name.lower()) in also:
            add_header(signed, lower, value)
    if payload_hash is None and "x-amz-content-sha256" not in signed:
        payload_hash = sha256(body.encode() if isinstance(body, str) else body).hexdigest()
    answer = {"Host": signed.setdefault("host", host or host_of(url))}
    answer |= authorization(
        method=method.upper(),  # as HTTP clients send it
        url=url,
        signed=signed,
        payload_hash=payload_hash or signed["x-amz-content-sha256"],
        credentials=credentials,
        region=region,
        service=service,
        at=time.time() if at is None else at,
    )
    return answer


def authorization(
    *,
    method: str,
    url: str,
    signed: dict[str, str],
    payload_hash: str,
    credentials: Credentials,
    region: str,
    service: str,
    at: float,
) -> dict[str, str]:
    """Return what `sign` returns but for Host: for adapters, which know the headers.

    `signed` holds those to be signed, host among them, in canonical form, and is completed here.
    """
    timestamp = _timestamp(int(at))
    answer = {"X-Amz-Date": timestamp}
    token = credentials.session_token
    if token is not None:
        answer["X-Amz-Security-Token"] = signed["x-amz-security-token"] = token
    if payload_hash == UNSIGNED_PAYLOAD:
        if service == "execute-api":
            from .errors import UnsignableBody

            raise UnsignableBody(UNSIGNED_REFUSED)
        answer["X-Amz-Content-Sha256"] = signed["x-amz-content-sha256"] = payload_hash
    signed["x-amz-date"] = DATE
    before, after, names = header_lines(tuple(signed.items()))
    if "#" in url:
        url = url.partition("#")[0]
    target, _, query = url.partition("?")
    start = target.find("/", _AFTER_SCHEME)
    path = canonical_path(target[start:]) if start > 0 else "/"
    if query:
        query = canonical_query(query)
    canonical = f"{method}\n{path}\n{query}\n{before}{timestamp}{after}\n{names}\n{payload_hash}"
    key = signing_key(credentials.secret_access_key, timestamp[:8], region, service)
    proof = key.sign(string_to_sign(canonical=canonical, timestamp=timestamp, scope=key.scope))
    answer["Authorization"] = Redacted(
        f"{ALGORITHM} Credential={credentials.access_key_id}/{key.scope}, "
        f"SignedHeaders={names}, Signature={proof}"
    )
    return answer


@lru_cache(maxsize=8)
def _timestamp(seconds: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
