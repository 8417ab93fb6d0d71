"""What a backend receives and what comes back, over TLS on a real socket."""

from __future__ import annotations

import gzip
import hashlib
import os
import time
import tracemalloc
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import pytest
from forwarder.failure import FailedError
from forwarder.handler import handle
from forwarder.response import Incoming

from tests.forwarder.scripted import answers, response
from tests.forwarder.subject import request, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.forwarder.subject import Pair

    Serve = Callable[..., Pair]


@pytest.mark.parametrize("name", ["get", "head", "post-json", "put-binary"])
@pytest.mark.parametrize("format_", ["rest", "http"])
def test_every_sample_event_arrives(
    serve: Serve, event: Callable[[str], Any], context: Any, format_: str, name: str
) -> None:
    """Verb, path below the base path, query and body as they were sent, in both formats."""
    pair = serve(answers(response(200, b'{"ok": true}')))
    rendered = handle(event(f"{format_}-{name}"), context, pair.backend)
    assert rendered["statusCode"] == 200
    assert rendered["body"] == ("" if name == "head" else '{"ok": true}')
    method, path, body = {
        "get": (b"GET", b"/base/orders/42", b""),
        "head": (b"HEAD", b"/base/orders/42", b""),
        "post-json": (b"POST", b"/base/orders", '{"name": "Ada", "note": "café"}'.encode()),
        "put-binary": (b"PUT", b"/base/files/all-bytes", bytes(range(256))),
    }[name]
    wire = pair.server.last
    assert (wire.method, wire.target.partition(b"?")[0], wire.body) == (method, path, body)
    assert wire.one("host") == f"127.0.0.1:{pair.server.port}"


def test_small_pieces_take_no_more_than_the_body() -> None:
    """Chunks of a few bytes, or parts of a few, are not kept as so many objects."""
    size = 1024 * 1024
    for framing, piece, end in (
        (b"Transfer-Encoding: chunked", b"2\r\nxx\r\n" * 4096, b"0\r\n\r\n"),
        (b"Content-Length: %d" % size, b"xx", b""),
        (b"Connection: close", b"xx", b""),
    ):
        count = size // (8192 if end else 2)
        parts = chain([b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n"], repeat(piece, count), [end])
        incoming = Incoming(lambda parts=parts: bytes(bytearray(next(parts, b""))))  # type: ignore[misc]
        tracemalloc.start()
        body = incoming.body("GET", incoming.head())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert body == b"x" * size
        assert peak < 4 * size


@pytest.mark.parametrize("place", ["header", "trailer"])
def test_a_long_row_of_spaces_takes_no_time(place: str) -> None:
    """A backend's answer cannot keep the function busy: minutes, where a space has two places."""
    lines = {
        "header": b"HTTP/1.1 200 OK\r\nX-A:" + b" " * 30_000 + b"\x01\r\n\r\n",
        "trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A:"
        + b" " * 30_000
        + b"\x01\r\n\r\n",
    }
    incoming = Incoming(iter([lines[place]]).__next__)
    began = time.process_time()
    with pytest.raises(FailedError, match="malformed"):
        incoming.body("GET", incoming.head())
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("rest-get-encoded", b"/base/files/a%2Fb%20c/%C3%A9;v=1/"),
        ("rest-custom-domain", b"/base/partner/orders"),
        ("rest-double-slash", b"/base//evil.example.com/x"),
        ("rest-absolute-form", b"/base/http://user@evil.example.com/x"),
        ("rest-delete", b"/base/orders/42"),
        ("rest-options", b"/base/orders"),
        ("rest-patch-text", b"/base/orders/42"),
        ("http-get-encoded", b"/base/files/a/b%20c/%C3%A9/100%25/"),
    ],
)
def test_targets(
    serve: Serve, event: Callable[[str], Any], context: Any, name: str, target: bytes
) -> None:
    """The configured path, then what is below the route, octet for octet."""
    pair = serve()
    assert handle(event(name), context, pair.backend)["statusCode"] == 200
    assert pair.server.last.target == target


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("rest-refused-dots", 400),
        ("rest-refused-encoded-dots", 400),
        ("rest-refused-line-break", 400),
        ("rest-refused-escape", 400),
        ("rest-refused-method", 405),
        ("http-refused-dots", 400),
    ],
)
def test_refused_requests_reach_nobody(
    serve: Serve, event: Callable[[str], Any], context: Any, name: str, status: int
) -> None:
    """Nothing is sent, nobody is connected to, and the answer says why."""
    pair = serve()
    rendered = handle(event(name), context, pair.backend)
    assert rendered["statusCode"] == status
    assert "message" in rendered["body"]
    assert pair.server.connections == 0


def test_spoofed_headers_are_replaced(
    serve: Serve, event: Callable[[str], Any], context: Any
) -> None:
    """What the backend hears of the caller is what API Gateway says, once."""
    pair = serve()
    handle(event("rest-spoofed"), context, pair.backend)
    wire = pair.server.last
    assert wire.one("x-forwarded-for") == "203.0.113.7"
    assert wire.one("x-forwarded-host") == "d1e2f3a4b5.execute-api.us-east-1.amazonaws.com"
    assert wire.one("x-forwarded-proto") == "https"
    assert wire.one("x-forwarded-port") == "443"
    assert wire.one("via") == "1.1 forwarder"
    names = {name.lower() for name, _ in wire.headers}
    assert names == {
        b"host",
        b"accept",
        b"user-agent",
        b"x-amzn-trace-id",
        b"via",
        b"x-caller-key-id",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
    }


def test_no_headers_are_made_up(serve: Serve) -> None:
    """A client without User-Agent, Accept or Accept-Encoding is forwarded without them."""
    pair = serve()
    pair.ask()
    names = {name.lower() for name, _ in pair.server.last.headers}
    assert not names & {b"user-agent", b"accept", b"accept-encoding", b"connection"}


def test_four_megabytes_both_ways(serve: Serve) -> None:
    """A binary body arrives whole, and comes back whole."""
    body = os.urandom(4 * 1024 * 1024)
    pair = serve(answers(lambda wire: response(200, wire.body)))
    answer = pair.ask("PUT", body=body)
    hashes = [hashlib.sha256(one).digest() for one in (body, pair.server.last.body, answer.body)]
    assert len(set(hashes)) == 1


def test_multipart(serve: Serve) -> None:
    """Boundaries, line ends and parts are bytes like any others."""
    kind = "multipart/form-data; boundary=----x"
    part = b'Content-Disposition: form-data; name="f"; filename="a"\r\n\r\n\xff\r\n'
    body = b"------x\r\n" + part + b"------x--"
    pair = serve()
    pair.ask("POST", headers=(("Content-Type", kind),), body=body)
    assert pair.server.last.body == body
    assert pair.server.last.one("content-type") == kind


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_encoded_content_is_untouched(serve: Serve, encoding: str) -> None:
    """Neither decoded nor declared otherwise, whichever way it goes."""
    packed = gzip.compress(b'{"a": 1}')
    header = ("Content-Encoding", encoding)
    pair = serve(answers(response(200, packed, [header])))
    answer = pair.ask("POST", headers=(header, ("Accept-Encoding", encoding)), body=packed)
    assert pair.server.last.body == answer.body == packed
    assert header in answer.headers
    assert pair.server.last.one("accept-encoding") == encoding


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_the_caller_s_to_follow(serve: Serve, status: int) -> None:
    """A redirect to somewhere else is passed on, not followed."""
    location = ("Location", "https://login.example.com/?next=%2Fa")
    pair = serve(answers(response(status, b"", [location])))
    answer = pair.ask()
    assert (answer.status, answer.headers) == (status, (location,))
    assert len(pair.server.received) == 1


@pytest.mark.parametrize("name", ["rest-get", "http-get"])
def test_a_redirect_leads_back_to_the_forwarder(
    serve: Serve, event: Callable[[str], Any], context: Any, name: str
) -> None:
    """Whoever follows it asks the same stage and route, and gets to the place that was meant."""
    pair = serve(answers(response(303, b"", [("Location", "/base/orders/43?x=1")]), response()))
    rendered = handle(event(name), context, pair.backend)
    headers = rendered.get("headers") or {k: v[0] for k, v in rendered["multiValueHeaders"].items()}
    assert headers["Location"] == "/dev/partner/orders/43?x=1"
    followed = event(name)
    below = headers["Location"].removeprefix("/dev").partition("?")[0]
    if name == "http-get":
        followed |= {"rawPath": f"/dev{below}", "rawQueryString": "x=1"}
        followed["pathParameters"] = {"path": below.removeprefix("/partner/")}
    else:
        followed |= {"path": below, "pathParameters": {"path": below.removeprefix("/partner/")}}
        followed["multiValueQueryStringParameters"] = {"x": ["1"]}
    handle(followed, context, pair.backend)
    assert pair.server.last.target == b"/base/orders/43?x=1"


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("rest-get", "x-caller-key-id", "k1l2m3n4o5"),
        ("http-get", "x-caller-arn", "arn:aws:iam::123456789012:user/partner"),
    ],
)
def test_the_backend_hears_who_called(
    serve: Serve, event: Callable[[str], Any], context: Any, *, name: str, header: str, value: str
) -> None:
    """As API Gateway found out: the key's id, never its value, or who signed; once."""
    pair, sample = serve(), event(name)
    claims = {"X-Caller-Arn": "arn:evil", "X_Caller_Key_Id": "evil", "x-caller-anything": "evil"}
    sample["headers"] |= claims
    if "multiValueHeaders" in sample:
        sample["multiValueHeaders"] |= {one: ["evil"] for one in claims}
    handle(sample, context, pair.backend)
    told = [(k.lower(), v) for k, v in pair.server.last.headers if b"caller" in k.lower()]
    assert told == [(header.encode(), value.encode())]
    assert b"sample-api-key" not in b"".join(v for _, v in pair.server.last.headers)


def test_cookies_and_repeated_headers_come_back(serve: Serve) -> None:
    """Each line of the answer is a line of its own, in its order."""
    headers = [("Set-Cookie", "a=1; Path=/"), ("X-A", "1"), ("Set-Cookie", "b=2"), ("X-A", "2")]
    pair = serve(answers(response(200, b"", headers)))
    assert pair.ask().headers == tuple(headers)


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_body(serve: Serve, status: int) -> None:
    """They end with their headers, whatever length they claim, and the next call is unharmed.

    A 304 tells of the length that a 200 would have; a 204 has none to tell (RFC 9110, 8.6).
    """
    bare = f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n".encode()
    pair = serve(answers(bare, response(200, b"next")))
    assert (pair.ask().status, pair.ask().body) == (status, b"next")
    assert pair.server.connections == (2 if status == 204 else 1)


def test_head(serve: Serve) -> None:
    """The length in the answer to HEAD is not waited for."""
    bare = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
    pair = serve(answers(bare, response(200, b"next")))
    assert pair.ask("HEAD").body == b""
    assert pair.ask().body == b"next"
    assert pair.server.connections == 1


@pytest.mark.parametrize("status", [200, 201, 299, 400, 401, 404, 418, 429, 500, 503, 599])
def test_every_status_is_the_backend_s(serve: Serve, status: int) -> None:
    """Success or not, what the backend said is what the caller gets."""
    answer = serve(answers(response(status, b"said"))).ask()
    assert (answer.status, answer.body) == (status, b"said")


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 X\r\n\r\n",
    ],
)
def test_interim_answers_are_skipped(serve: Serve, interim: bytes) -> None:
    """The answer is the first that is final (RFC 9110, 15.2)."""
    answer = serve(answers(interim + response(201, b"final"))).ask("POST", body=b"x")
    assert (answer.status, answer.headers, answer.body) == (201, (), b"final")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("chunks", "body"),
    [
        (b"0\r\n\r\n", b""),
        (b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", b"abcd"),
        (b'A;name="value"\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n', b"0123456789"),
        (b"00003\r\na\r\n\r\n000\r\n\r\n", b"a\r\n"),
    ],
)
def test_chunks(serve: Serve, chunks: bytes, body: bytes) -> None:
    """Chunks become a body; extensions and trailers go; the connection stays usable."""
    pair = serve(answers(CHUNKED + chunks, response(200, b"next")))
    answer = pair.ask()
    assert (answer.body, answer.headers) == (body, ())
    assert pair.ask().body == b"next"
    assert pair.server.connections == 1


def test_bare_line_feeds(serve: Serve) -> None:
    """Lines that end with LF alone are read too (RFC 9112, 2.2)."""
    answer = serve(answers(b"HTTP/1.1 200 OK\nX-A: 1\nContent-Length: 2\n\nab")).ask()
    assert (answer.headers, answer.body) == ((("X-A", "1"),), b"ab")


def test_the_root(serve: Serve) -> None:
    """Without a base path and without anything below the route, the target is `/`."""
    pair = serve()
    bare = serve(BACKEND_URL=f"https://127.0.0.1:{pair.server.port}")
    bare.backend.forward(request(path=""), 5)
    assert pair.server.last.target == b"/"
    pair.ask(path="", query="a=1")
    assert pair.server.last.target == b"/base?a=1"


def test_a_backend_with_a_name(serve: Serve) -> None:
    """It is looked up, and TLS proves that it is the one."""
    pair = serve()
    named = serve(BACKEND_URL=f"https://localhost:{pair.server.port}")
    assert named.ask().status == 200
    assert pair.server.last.one("host") == f"localhost:{pair.server.port}"


def test_the_reason_is_told(serve: Serve) -> None:
    """A refused request's answer says what is wrong with it, and names the request."""
    assert said(serve().ask(path="/../x")) == "The path has a segment of dots"
    refused = serve().ask("TRACE")
    assert (refused.status, refused.headers[-1][0]) == (405, "Allow")
