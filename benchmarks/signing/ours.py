"""The floor that no signer gets below, and this project's signer: core and adapter."""

from __future__ import annotations

import time
from hashlib import sha256
from hmac import digest
from typing import TYPE_CHECKING

from signing import Credentials, PrivateApi, SigV4Auth, sigv4

from benchmarks.signing.subject import (
    API_ID,
    HOST,
    KEY,
    REGION,
    SECRET,
    SERVICE,
    TOKEN,
    URL,
    Signer,
)

if TYPE_CHECKING:
    from requests import PreparedRequest

KEYS = Credentials(access_key_id=KEY, secret_access_key=SECRET, session_token=TOKEN)


def floor() -> Signer:
    """Hash, HMAC by a cached key, and the strings, written by hand for these very requests."""
    key = f"AWS4{SECRET}".encode()
    for part in (time.strftime("%Y%m%d", time.gmtime()), REGION, SERVICE, "aws4_request"):
        key = digest(key, part.encode(), "sha256")
    empty = sha256(b"").hexdigest()
    fixed = f"x-amz-security-token:{TOKEN}\nx-apigw-api-id:{API_ID}\n"

    def convert(request: PreparedRequest) -> tuple[PreparedRequest, str, str]:
        path, _, query = request.path_url.partition("?")
        return request, path, "&".join(sorted(query.split("&")))

    def sign(given: tuple[PreparedRequest, str, str]) -> None:
        request, path, query = given
        if request.body is None:
            hashed, kind, names = empty, "", "host"
        else:
            hashed = sha256(request.body).hexdigest()  # type: ignore[arg-type]  # it is bytes
            kind, names = "content-type:application/json\n", "content-type;host"
        names += ";x-amz-date;x-amz-security-token;x-apigw-api-id"
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        canonical = (
            f"{request.method}\n{path}\n{query}\n{kind}host:{HOST}\nx-amz-date:{now}\n{fixed}\n"
            f"{names}\n{hashed}"
        )
        scope = f"{now[:8]}/{REGION}/{SERVICE}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        proof = digest(key, text.encode(), "sha256").hex()
        headers = request.headers
        headers["X-Amz-Date"] = now
        headers["X-Amz-Security-Token"] = TOKEN
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, Signature={proof}"
        )

    return Signer("floor, by hand", sign, convert)


def adapter() -> Signer:
    """`SigV4Auth`, called as `requests` calls it."""
    api = PrivateApi(url=URL, region=REGION, api_id=API_ID)
    return Signer("signing.SigV4Auth", SigV4Auth(api, credentials=KEYS))


def core() -> Signer:
    """`signing.sigv4.sign`, from plain values to a dict."""

    def convert(request: PreparedRequest) -> dict[str, object]:
        return {
            "method": request.method,
            "url": request.url,
            "headers": list(request.headers.items()),
            "body": request.body or b"",
            "credentials": KEYS,
            "region": REGION,
            "service": SERVICE,
        }

    return Signer("signing.sigv4.sign", lambda given: sigv4.sign(**given), convert)
