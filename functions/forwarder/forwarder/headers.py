"""Which headers go on to the backend, and which of its own come back, by name.

Source: RFC 9110, 7.6.1 (Connection), 7.6.3 (Via); API Gateway Developer Guide, "Amazon API Gateway
important notes" for the headers that a REST API would send under another name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from forwarder.asserted import is_asserted, plain
from forwarder.failure import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forwarder.event import Request

    Headers = tuple[tuple[str, str], ...]
    Dropped = tuple[frozenset[str], tuple[str, ...]]

_NO_NAMES: frozenset[str] = frozenset()
_NONE: Dropped = (_NO_NAMES, ())
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
    names, families = dropped
    if not _is_sendable("".join([value for _, value in request.headers])):
        raise RefusedError("A header cannot be sent on")
    sent, listed = [], _NO_NAMES
    for name, value in request.headers:
        known = _known(name)
        if not known:
            if known is None:
                raise RefusedError("A header cannot be sent on")
        elif known == "connection":
            listed |= _members(value)
        # A signature is for API Gateway, which has read it.
        elif (
            known not in names
            and not known.startswith(families)
            and not (known == "authorization" and value.lstrip().startswith(_SIGNATURE))
        ):
            sent.append((name, value.strip(" \t")))
    if listed:
        sent = [pair for pair in sent if plain(pair[0]) not in listed]
    sent += request.caller.headers()
    told = (("X-Forwarded-For", request.source_ip), ("X-Forwarded-Host", request.domain))
    sent += [(name, value) for name, value in told if value and _is_sendable(value)]
    sent += _ALWAYS
    if request.body or request.method in _WITH_LENGTH:
        sent.append(("Content-Length", str(len(request.body))))
    return sent


def to_caller(headers: Headers) -> Headers:
    """The headers of the backend's answer that come back."""
    kept, listed = [], _NO_NAMES
    for pair in headers:
        known = _known_back(pair[0])
        if known == "connection":
            listed |= _members(pair[1])
        elif known:
            kept.append(pair)
    return tuple([pair for pair in kept if plain(pair[0]) not in listed] if listed else kept)


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


@lru_cache(maxsize=512)
def _known(name: str) -> str | None:
    """A name made plain; nothing where it is not sent, None where it cannot be.

    Connection is not sent, but read.
    """
    if not _TOKEN.fullmatch(name):
        return None
    known = plain(name)
    if known == "connection":
        return known
    return "" if known in _NOT_SENT or is_asserted(known) else known


@lru_cache(maxsize=512)
def _known_back(name: str) -> str:
    """A name made plain; nothing where it does not come back. Connection does not, but is read."""
    known = plain(name)
    if known == "connection":
        return known
    return "" if known in _NOT_PASSED_BACK or known.startswith(_INSIDE_FAMILIES) else known


def _is_sendable(text: str) -> bool:
    # Of ASCII, what is printable is sendable; the pattern takes its time.
    return (text.isascii() and text.isprintable()) or not _UNSENDABLE.search(text)


def _members(connection: str) -> frozenset[str]:
    """The plain names that a Connection header declares to be for this hop alone."""
    return frozenset([plain(one.strip()) for one in connection.split(",")])
