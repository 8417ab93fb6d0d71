"""An API Gateway proxy event as a request: REST (payload 1.0) and HTTP API (payload 2.0).

What an event keeps of what was sent (API Gateway Developer Guide, "Lambda proxy integrations" and
"Create AWS Lambda proxy integrations for HTTP APIs"; the encodings by public reports,
aws-sam-cli #771 and serverless-offline #265):

    1.0  The path as it was sent, percent-encoded. Query parameters decoded, with all their values;
         their order is kept within a name only, and `?a` comes as `?a=`.
    2.0  The path decoded but for `%25`, so that `%2F` cannot be told from `/` any more, and cut off
         at a decoded `?`, which the parameter is not. The query as it was sent. Repeated headers
         joined with commas, cookies in a list of their own.
"""

from __future__ import annotations

import re
from base64 import b64decode
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote, unquote

from forwarder.caller import NOBODY, Caller, of_1_0, of_2_0

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GREEDY = re.compile(r"(/.*)\{([^{}/]+)\+\}")
# What stands in a path as it is (RFC 3986, 3.3), and what is sent there though it should not be.
_PATH = "/:@!$&'()*+,;=-._~"
_PATH_AS_SENT = _PATH + '%"<>[]\\^`{|}'
_PLAIN = re.compile(r"[A-Za-z0-9/._~-]*")
_QUERY_AS_SENT = _PATH_AS_SENT + "?"
_QUOTED = [quote(bytes((byte,)), safe="") for byte in range(256)]


class MalformedEventError(ValueError):
    """Not a proxy event of API Gateway."""


class Request(NamedTuple):
    """A request, as far as an event tells.

    `path` is what is below the route, percent-encoded as it goes on the wire: `/a/b%20c/`, or
    nothing where the route is a literal one. `query` is without `?`, percent-encoded. `headers` are
    Latin-1 text, repeated names repeated. `domain` is the API's own, and `prefix` what stands
    before `path` there: the stage or a custom domain's base path, and the route.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str | None
    domain: str
    request_id: str
    payload: Literal["1.0", "2.0"]
    prefix: str = ""
    caller: Caller = NOBODY


def read(event: object) -> Request:
    """The request of a proxy event. Raises MalformedEventError."""
    if not isinstance(event, dict):
        raise MalformedEventError("not a proxy event: no object")
    try:
        return _read_2_0(event) if event.get("version") == "2.0" else _read_1_0(event)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # Not the error's text: it may show what was sent.
        raise MalformedEventError(f"not a proxy event: {type(error).__name__}") from None


def _read_1_0(event: Mapping[str, Any]) -> Request:
    context = event["requestContext"]
    query = event.get("multiValueQueryStringParameters") or {
        name: [value] for name, value in (event.get("queryStringParameters") or {}).items()
    }
    headers = event.get("multiValueHeaders") or {
        name: [value] for name, value in (event.get("headers") or {}).items()
    }
    path = event["path"]
    below = _below([path], event["resource"], event.get("pathParameters") or {})
    return Request(
        method=_text(event["httpMethod"]),
        path=below if _PLAIN.fullmatch(below) else quote(below, safe=_PATH_AS_SENT),
        query="&".join(
            [f"{_quoted(name)}={_quoted(value)}" for name, many in query.items() for value in many]
        ),
        headers=_latin([(name, value) for name, many in headers.items() for value in many]),
        body=_body(event),
        source_ip=_text((context.get("identity") or {}).get("sourceIp") or "") or None,
        domain=_text(context.get("domainName") or ""),
        request_id=_text(context["requestId"]),
        payload="1.0",
        prefix=_prefix([context.get("path") or path, path], below),
        caller=of_1_0(context),
    )


def _read_2_0(event: Mapping[str, Any]) -> Request:
    context = event["requestContext"]
    route = event["routeKey"].partition(" ")[2]
    headers = list((event.get("headers") or {}).items())
    if cookies := event.get("cookies"):
        headers = [pair for pair in headers if pair[0].lower() != "cookie"]
        headers.append(("cookie", "; ".join(cookies)))
    paths = [event["rawPath"], event["rawPath"].removeprefix(f"/{context.get('stage')}")]
    below = _below(paths, route, event.get("pathParameters") or {})
    return Request(
        method=_text(context["http"]["method"]),
        path="%25".join([quote(piece, safe=_PATH) for piece in below.split("%25")]),
        query=quote(event.get("rawQueryString") or "", safe=_QUERY_AS_SENT),
        headers=_latin(headers),
        body=_body(event),
        source_ip=_text(context["http"].get("sourceIp") or "") or None,
        domain=_text(context.get("domainName") or ""),
        request_id=_text(context["requestId"]),
        payload="2.0",
        prefix=_prefix([event["rawPath"]], below),
        caller=of_2_0(context),
    )


def _below(paths: list[str], route: str, parameters: Mapping[str, str]) -> str:
    """The part of a path that a route's greedy parameter stands for, with its slashes.

    `paths` is the path, with and without what may stand before the route: a stage. A custom
    domain's base path may stand there too, so that the parameter has the first word. It alone would
    not do: it has lost a slash at the end.
    """
    literal, name = _greedy(route)
    if not name:
        return ""
    parameter = parameters[name]
    if paths[0] == literal + parameter:
        return f"/{parameter}"
    # Whether API Gateway has decoded the parameter or not.
    values = (unquote(parameter).rstrip("/"), parameter.rstrip("/"))
    start = paths[0].find(literal)
    while start >= 0:
        below = paths[0][start + len(literal) - 1 :]
        if unquote(below[1:]).rstrip("/") in values:
            return below
        start = paths[0].find(literal, start + 1)
    for path in paths:
        if path.startswith(literal):
            below = path[len(literal) - 1 :]
            is_cut = "?" in parameter and below[1:] == parameter.partition("?")[0]
            return f"/{parameter}" if is_cut else below
    raise ValueError("the path is not one of the route")


@lru_cache(maxsize=64)
def _greedy(route: str) -> tuple[str, str]:
    """What stands before a route's greedy parameter, and its name; neither where it has none."""
    if not route.startswith("/"):
        raise ValueError("the default route has nothing below it")
    greedy = _GREEDY.fullmatch(route)
    return (greedy[1], greedy[2]) if greedy else ("", "")


def _prefix(paths: list[str], below: str) -> str:
    """What stands before the part below the route in the path that the caller asked for.

    In 1.0 the request context's path has the stage, or a custom domain's base path, in it, and the
    event's has not; nobody says how it is encoded (API Gateway Developer Guide, "$context.path").
    """
    for path in paths:
        if path.endswith(below):
            return _encoded(path[: len(path) - len(below)])
        text, end = unquote(path), unquote(below)
        if text.endswith(end):
            return quote(text[: len(text) - len(end)], safe=_PATH)
    return ""


@lru_cache(maxsize=64)
def _encoded(prefix: str) -> str:
    return prefix if _PLAIN.fullmatch(prefix) else quote(unquote(prefix), safe=_PATH)


def _latin(headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Headers as the text of their bytes: what is no Latin-1 was UTF-8."""
    # Most are plain text; what is no text cannot be joined.
    if "".join(chain.from_iterable(headers)).isascii():
        return tuple(headers)
    return tuple([(name, value if value.isascii() else _bytes(value)) for name, value in headers])


def _bytes(value: str) -> str:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode().decode("latin-1")
    return value


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        return b64decode(body, validate=True)
    encoded: bytes = body.encode()
    return encoded


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _quoted(text: str) -> str:
    # As `quote` does, which takes its time.
    if not text or (text.isascii() and text.isalnum()):
        return text
    return "".join([_QUOTED[byte] for byte in text.encode()])
