"""Requests that somebody might send to get elsewhere, as events of API Gateway; repeatable."""

from __future__ import annotations

import random
from base64 import b64encode
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ODD_METHODS = (
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "",
    "GET http://evil.example.com/",
    "G\r\nX: y",
)
SEGMENTS = (
    *("orders", "42", "a.b", "...", ".well-known", "", "%20", "%C3%A9", "a;v=1", "@", "~", "*"),
    *("a%3Fb", "a%23", "a%20b", "%25u", "%E0%A4%85", "a,b", "a=b", "a+b", "..a", "a..", "%7E"),
    *("..", ".", "%2e%2e", "%2E.", "..;", "..%2f", "%2f..", "%252e%252e", "%5c..", "..\\", "%2F"),
    *("%00", "%0d%0aHost:%20evil.example.com", "%0a", "%", "%zz", "%u002e", "%c0%ae%c0%ae"),
    *("..%3fx", "..%23", "..%20", "%20..", "%25u002e%25u002e", "%e0%80%ae%e0%80%ae"),
    *("evil.example.com", "http:", "user:pw@evil.example.com", "evil.example.com:80", "[::1]"),
    *("169.254.169.254", "localhost", "%40evil.example.com", "\\\\evil.example.com", ":443"),
)
RAW = ("é", "\u2025", "\uff0e\uff0e", "a b", "\t", "\r\nX: y", "\x00", "#x", "?y", "\u2215", "\x7f")
NAMES = (
    *("Accept", "X-Tag", "Cookie", "Content-Type", "Accept-Encoding", "Range", "X-Amzn-Trace-Id"),
    *("Host", "host", "X-Forwarded-Host", "X_Forwarded_Host", "Forwarded", "Via", "X-Real-IP"),
    *("Connection", "Transfer-Encoding", "Content-Length", "TE", "Upgrade", "Expect", "Trailer"),
    *("X-Original-URL", "X-Rewrite-URL", "x-apigw-api-id", "X-Api-Key", "Proxy-Authorization"),
    *(
        "Proxy-Connection",
        "Keep-Alive",
        "X-HTTP-Method-Override",
        "Proxy",
        "Authorization",
        "Location",
    ),
    *("X-A\r\nHost", "X A", "", ":authority", "X-É", "X-A:", "Transfer-Encoding ", "X-\x00"),
)
VALUES = (
    *("1", "a, b", "", " x ", "caf\xe9", "evil.example.com", "http://evil.example.com/", "chunked"),
    *("close, host", "keep-alive, content-length", "100-continue", "h2c", "0", "5", "-1", "gzip"),
    *("1\r\nHost: evil.example.com", "1\r\n\r\nGET /evil HTTP/1.1\r\n\r\n", "\n", "\x00", "\u20ac"),
    *("\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "\x7f", "a" * 2000),
)
WORDS = (
    "",
    "a",
    "a b",
    "é",
    "&",
    "=",
    "#",
    "%",
    "%41",
    "+",
    "\r\n",
    "\x00",
    "/../",
    "?",
    "http://x",
)


class Hostile(NamedTuple):
    """`below` is the path below the route as API Gateway has it, `pairs` the decoded query."""

    event: dict[str, Any]
    method: str
    below: str
    headers: list[tuple[str, str]]
    pairs: list[tuple[str, str]]
    query: str
    body: bytes


class Source:
    """Hostile requests without end; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def rest(self) -> Hostile:
        """A REST API's event (1.0): the path raw, the query decoded."""
        request = self._request(decoded=False)
        below, headers, pairs = request.below, request.headers, request.pairs
        event = {
            "resource": "/partner/{path+}",
            "path": f"/partner{below}",
            "httpMethod": request.method,
            "headers": dict(headers),
            "multiValueHeaders": _gathered(headers),
            "queryStringParameters": dict(pairs) or None,
            "multiValueQueryStringParameters": _gathered(pairs) or None,
            "pathParameters": {"path": below[1:].rstrip("/")},
            "requestContext": {
                "requestId": "request-1",
                "domainName": "api.example.com",
                "identity": {"sourceIp": "203.0.113.7"},
            },
        }
        return request._replace(event=event | self._body(request.body))

    def http(self) -> Hostile:
        """An HTTP API's event (2.0): the path decoded, the query raw."""
        request = self._request(decoded=True)
        event = {
            "version": "2.0",
            "routeKey": "ANY /partner/{path+}",
            "rawPath": f"/dev/partner{request.below}",
            "rawQueryString": request.query,
            "headers": {name: ",".join(all_) for name, all_ in _gathered(request.headers).items()},
            "pathParameters": {"path": request.below[1:].rstrip("/")},
            "requestContext": {
                "requestId": "request-1",
                "domainName": "api.example.com",
                "stage": "dev",
                "http": {"method": request.method, "sourceIp": "203.0.113.7"},
            },
        }
        return request._replace(event=event | self._body(request.body))

    def _request(self, *, decoded: bool) -> Hostile:
        pick, some = self._random.choice, self._random.random
        pool = SEGMENTS + RAW if decoded or some() < 0.1 else SEGMENTS
        below = "".join(f"/{pick(pool)}" for _ in range(self._random.randint(1, 5)))
        below += pick(("", "", "/", "//"))
        names = NAMES if some() < 0.3 else NAMES[:7]
        values = VALUES if some() < 0.3 else VALUES[:8]
        headers = [(pick(names), pick(values)) for _ in range(self._random.randint(0, 6))]
        pairs = [(pick(WORDS), pick(WORDS)) for _ in range(self._random.randint(0, 4))]
        query = "&".join(f"{name}={value}" for name, value in pairs)
        method = pick(ODD_METHODS) if some() < 0.05 else pick(METHODS)
        body = self._random.randbytes(self._random.choice((0, 0, 1, 50, 3000)))
        return Hostile({}, method, below, headers, pairs, query, body)

    def _body(self, body: bytes) -> dict[str, Any]:
        return {"body": b64encode(body).decode() if body else None, "isBase64Encoded": bool(body)}

    def mutated(self, text: bytes) -> bytes:
        """Bytes with some changed, taken away, doubled or put in."""
        mutant = bytearray(text)
        for _ in range(self._random.randint(1, 4)):
            at = self._random.randrange(len(mutant) + 1)
            match self._random.randrange(4):
                case 0:
                    mutant[at : at + 1] = self._random.choice((b"\r\n", b"\n", b"\x00", b":", b" "))
                case 1:
                    del mutant[at : at + self._random.randint(1, 20)]
                case 2:
                    mutant[at:at] = mutant[at : at + self._random.randint(1, 40)]
                case _:
                    mutant[at:at] = self._random.randbytes(2)
        return bytes(mutant)

    def pieces(self, text: bytes) -> list[bytes]:
        """Bytes as they may come, in any number of parts."""
        cuts = sorted(self._random.randrange(len(text) + 1) for _ in range(3))
        parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        return [part for part in parts if part]


def pairs_of(query: str) -> list[tuple[str, str]]:
    """What a server reads out of a query."""
    parts = [part.partition("=") for part in query.split("&")] if query else []
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in parts]


def _gathered(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    gathered: dict[str, list[str]] = {}
    for name, value in pairs:
        gathered.setdefault(name, []).append(value)
    return gathered
