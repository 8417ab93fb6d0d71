"""Which headers go on to the backend, and which of its own come back.

Source: RFC 9110, 7.6.1 (Connection), 7.6.3 (Via); API Gateway Developer Guide, "Amazon API Gateway
important notes" for the headers that a REST API would send under another name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forwarder.failure import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forwarder.event import Request

    Headers = tuple[tuple[str, str], ...]

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NOT_SENT = _HOP_BY_HOP | {
    # Of the request as it is sent on.
    "content-length",
    "expect",
    "host",
    "max-forwards",
    # Where it comes from or goes to: only API Gateway knows, and some servers believe these.
    "cf-connecting-ip",
    "client-ip",
    "forwarded",
    "forwarded-for",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-original-path",
    "x-host",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-originating-ip",
    "x-real-ip",
    "x-rewrite-url",
    # Another verb than the one that was let in.
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    # CGI would make HTTP_PROXY of it, which HTTP clients obey (httpoxy, CVE-2016-5385).
    "proxy",
    # Keys to the public API; and it would choose another API behind the same endpoint.
    "x-amz-security-token",
    "x-api-key",
    "x-apigw-api-id",
}
_NOT_PASSED_BACK = _HOP_BY_HOP | {
    # API Gateway makes its own, and would send these as x-amzn-Remapped-...
    "content-length",
    "date",
    "server",
}
_SIGNATURE = "AWS4-HMAC-SHA256"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_UNSENDABLE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_DASHES = {code: "-" for code in range(128) if not chr(code).isalnum()}
_WITH_LENGTH = frozenset({"PATCH", "POST", "PUT"})
# The private API's, of which the public one sets its own.
_TRACES = frozenset({"x-amz-apigw-id", "x-amzn-errortype", "x-amzn-requestid", "x-amzn-trace-id"})


def to_backend(request: Request) -> list[tuple[str, str]]:
    """The headers to send, all but Host. Raises RefusedError where one cannot be sent.

    Names that differ in what is neither letter nor digit count as the same: for servers that make
    variables of them, as CGI does, `X.Real_IP` is `X-Real-IP` (RFC 3875, 4.1.18).
    """
    left_out = _NOT_SENT | _listed(request.headers)
    sent = []
    for name, value in request.headers:
        if not _TOKEN.fullmatch(name) or _UNSENDABLE.search(value):
            raise RefusedError("A header cannot be sent on")
        plain = _plain(name)
        if plain in left_out or plain.startswith("x-forwarded"):
            continue
        # Signed for API Gateway, which has read it.
        if plain == "authorization" and value.lstrip().startswith(_SIGNATURE):
            continue
        sent.append((name, value.strip(" \t")))
    told = (("X-Forwarded-For", request.source_ip), ("X-Forwarded-Host", request.domain))
    sent += [(name, value) for name, value in told if value and not _UNSENDABLE.search(value)]
    sent += (
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "443"),
        ("Via", "1.1 forwarder"),
    )
    if request.body or request.method in _WITH_LENGTH:
        sent.append(("Content-Length", str(len(request.body))))
    return sent


def to_caller(headers: Headers) -> Headers:
    """The headers of the backend's answer that come back."""
    left_out = _NOT_PASSED_BACK | _listed(headers)
    return tuple([pair for pair in headers if _plain(pair[0]) not in left_out])


def without_traces(headers: Headers) -> Headers:
    """The headers of an API's answer but for those that API Gateway sets itself."""
    return tuple([pair for pair in headers if pair[0].lower() not in _TRACES])


def without_signature(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of a request but for all that may belong to a caller's signature."""
    return [
        (name, value)
        for name, value in headers
        if (plain := _plain(name)) != "authorization" and not plain.startswith("x-amz-")
    ]


def _plain(name: str) -> str:
    return name.lower().translate(_DASHES)


def _listed(headers: Iterable[tuple[str, str]]) -> set[str]:
    """The names that Connection declares to be for this hop alone."""
    return {
        _plain(option.strip())
        for name, value in headers
        if name.lower() == "connection"
        for option in value.split(",")
    }
