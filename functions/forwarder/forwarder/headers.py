"""Which headers go on to the backend, and which of its own come back, by name.

Source: RFC 9110, 7.6.1 (Connection), 7.6.3 (Via); API Gateway Developer Guide, "Amazon API Gateway
important notes" for the headers that a REST API would send under another name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import compress
from typing import TYPE_CHECKING

from forwarder.asserted import is_asserted, plain
from forwarder.failure import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forwarder.event import Request

    Headers = tuple[tuple[str, str], ...]
    Dropped = tuple[frozenset[str], tuple[str, ...]]

_NONE: Dropped = (frozenset(), ())
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
    # An alternative to the public host, which it is not.
    "alt-svc",
    # Orders to a proxy.
    *("x-accel-redirect", "x-sendfile", "x-lighttpd-send-file", "x-reproxy-url"),
    # What is inside: its hosts, and what they run.
    *("server", "via", "x-server", "x-served-by", "x-backend", "x-upstream", "x-powered-by"),
    *("x-via", "proxy-status", "cache-status", "x-cache-lookup"),
    *("x-aspnet-version", "x-aspnetmvc-version", "x-generator", "x-runtime", "x-varnish"),
    *("x-host", "x-hostname", "x-host-name", "x-node", "x-node-id", "x-instance", "x-instance-id"),
    *("x-pod", "x-pod-name", "x-container", "x-container-id", "x-machine", "x-machine-name"),
    *("x-application-context", "x-app-server", "x-origin-server", "x-cache", "x-cache-hits"),
    *("x-cluster", "x-real-ip", "x-debug", "x-cf-routererror", "x-amz-cf-id", "x-amz-cf-pop"),
}
_INSIDE_FAMILIES = (
    *("x-backend-", "x-upstream-", "x-server-", "x-envoy-", "x-forwarded-", "x-kubernetes-"),
    *("x-kong-", "x-consul-", "x-nomad-", "x-proxy-", "x-debug-", "x-node-", "x-instance-"),
    "x-squid-",
)
_SIGNATURE = "AWS4-"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_UNSENDABLE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_ALWAYS = (("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "443"), ("Via", "1.1 forwarder"))
_WITH_LENGTH = frozenset({"PATCH", "POST", "PUT"})
# The private API's, of which the public one sets its own.
_TRACES = frozenset({"x-amz-apigw-id", "x-amzn-errortype", "x-amzn-requestid", "x-amzn-trace-id"})


def to_backend(request: Request, dropped: Dropped = _NONE) -> list[tuple[str, str]]:
    """The headers to send, all but Host. Raises RefusedError where one cannot be sent.

    `dropped` are plain names, and beginnings of names, that are left out besides. What the
    forwarder says of the caller stands in none that the caller has sent (asserted.py).
    """
    names, values = zip(*request.headers, strict=True) if request.headers else ((), ())
    if not _is_sendable("".join(values)):
        raise RefusedError("A header cannot be sent on")
    goes_on, is_read = _going_on(names, dropped)
    sent = [(name, value.strip(" \t")) for name, value in compress(request.headers, goes_on)]
    if is_read:
        listed = _listed(request.headers)
        sent = [pair for pair in sent if plain(pair[0]) not in listed and not _is_signature(*pair)]
    sent += request.caller.headers()
    forwarded = (("X-Forwarded-For", request.source_ip), ("X-Forwarded-Host", request.domain))
    sent += [(name, value) for name, value in forwarded if value and _is_sendable(value)]
    sent += _ALWAYS
    if request.body or request.method in _WITH_LENGTH:
        sent.append(("Content-Length", str(len(request.body))))
    return sent


def to_caller(headers: Headers) -> Headers:
    """The headers of the backend's answer that come back."""
    comes_back, is_read = _coming_back(tuple([name for name, _ in headers]))
    kept = compress(headers, comes_back)
    if not is_read:
        return tuple(kept)
    listed = _listed(headers)
    return tuple([pair for pair in kept if plain(pair[0]) not in listed])


def without_traces(headers: Headers) -> Headers:
    """The headers of an API's answer but for those that API Gateway sets itself."""
    return tuple([pair for pair in headers if pair[0].lower() not in _TRACES])


def without_signature(
    headers: Iterable[tuple[str, str]], authorization: str = ""
) -> list[tuple[str, str]]:
    """The headers of a request but for all that may belong to a caller's signature.

    A caller's Authorization goes on as `authorization`, where that is a name, and nobody else's
    does.
    """
    kept = []
    for name, value in headers:
        known = plain(name)
        if known == "authorization":
            if authorization:
                kept.append((authorization, value))
        elif not known.startswith("x-amz-") and known != authorization.lower():
            kept.append((name, value))
    return kept


# What becomes of a header is found once for each set of names, of which a caller has few.


@lru_cache(maxsize=128)
def _going_on(names: tuple[str, ...], dropped: Dropped) -> tuple[tuple[bool, ...], bool]:
    """Which of some headers go on by their names, and whether one must be read to tell.

    Raises RefusedError where one cannot be sent.
    """
    if not all(map(_TOKEN.fullmatch, names)):
        raise RefusedError("A header cannot be sent on")
    known = [plain(name) for name in names]
    more, families = dropped
    goes_on = [
        not (one in _NOT_SENT or is_asserted(one) or one in more or one.startswith(families))
        for one in known
    ]
    return tuple(goes_on), "connection" in known or "authorization" in known


@lru_cache(maxsize=128)
def _coming_back(names: tuple[str, ...]) -> tuple[tuple[bool, ...], bool]:
    """Which of some headers come back by their names, and whether Connection must be read."""
    known = [plain(name) for name in names]
    comes_back = [
        not (one in _NOT_PASSED_BACK or one.startswith(_INSIDE_FAMILIES)) for one in known
    ]
    return tuple(comes_back), "connection" in known


def _is_signature(name: str, value: str) -> bool:
    """Whether a header is signed for API Gateway, which has read it."""
    return name.lower() == "authorization" and value.lstrip().startswith(_SIGNATURE)


def _is_sendable(text: str) -> bool:
    # Of ASCII, what is printable is sendable; the pattern takes its time.
    return (text.isascii() and text.isprintable()) or not _UNSENDABLE.search(text)


def _listed(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The plain names that Connection declares to be for this hop alone."""
    values = [value for name, value in headers if name.lower() == "connection"]
    return frozenset([plain(one.strip()) for value in values for one in value.split(",")])
