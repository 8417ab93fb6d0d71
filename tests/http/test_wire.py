"""The HTTP server on the wire: what RFC 9112 allows is served, the rest is refused and closed."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.http.asgi import read_body
from backstairs.http.limits import Limits
from backstairs.http.servers import Servers, send_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.http.asgi import Receive, Scope, Send

QUICK = Limits(head_seconds=0.5, body_seconds=0.5)


class Echo:
    """Answers with what it was given; what a client's `/slow` waits for is `go`."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.go = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await read_body(receive, 1 << 20)
        except ConnectionError:
            self.seen.append("cut off")
            return
        path = scope["raw_path"].decode()
        self.seen.append(path)
        if path == "/slow":
            await asyncio.to_thread(self.go.wait, 10)
        headers = [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
        said = {"path": path, "query": scope["query_string"].decode(), "headers": headers}
        await send_json(send, 200, said | {"body": body.decode("latin-1")})


@contextmanager
def serving(limits: Limits) -> Iterator[tuple[int, Echo]]:
    """A server of `Echo` on a port, in a thread of its own."""
    servers, echo = Servers(), Echo()
    port = servers.add(echo, limits)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(servers.run()))
    thread.start()
    asyncio.run(servers.started())
    try:
        yield port, echo
    finally:
        servers.stop()
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with the limits of the door."""
    with serving(Limits()) as (number, _):
        yield number


@pytest.fixture(scope="module")
def impatient() -> Iterator[int]:
    """A server that waits for half a second."""
    with serving(QUICK) as (number, _):
        yield number


def received(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


def answers(text: bytes) -> list[tuple[int, Any]]:
    """The status and the JSON body of each answer in a row."""
    found = []
    while text:
        head, _, rest = text.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        lengths = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
        found.append((int(lines[0].split()[1]), json.loads(rest[: lengths[0]])))
        text = rest[lengths[0] :]
    return found


def ask(port: int, request: bytes, *, chunk: int = 0) -> list[tuple[int, Any]]:
    """The answers to bytes, after which the sending side is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        if chunk:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(request), chunk):
                connection.sendall(request[start : start + chunk])
                time.sleep(0.001)
        else:
            connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return answers(received(connection))


def only(port: int, request: bytes) -> tuple[int, Any]:
    """The one answer to bytes."""
    (answer,) = ask(port, request)
    return answer


GOOD = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"

BAD = {
    "two blanks after the verb": b"GET  /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "two blanks before the version": b"GET /a  HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tab after the verb": b"GET\t/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank at the end of the line": b"GET /a HTTP/1.1 \r\nHost: x\r\n\r\n",
    "a blank before the verb": b" GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n",
    "a fragment in an absolute form": b"GET http://x/a#b HTTP/1.1\r\nHost: x\r\n\r\n",
    "a byte beyond ASCII in the target": b"GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no slash": b"GET a HTTP/1.1\r\nHost: x\r\n\r\n",
    "an asterisk that is not of OPTIONS": b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n",
    "HTTP/0.9": b"GET /a\r\n\r\n",
    "HTTP/0.9 by its name": b"GET /a HTTP/0.9\r\nHost: x\r\n\r\n",
    "no Host": b"GET /a HTTP/1.1\r\n\r\n",
    "no Host beside an authority": b"GET http://x/a HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /a HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "two Hosts in HTTP/1.0": b"GET /a HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n",
    "a Host that is none": b"GET /a HTTP/1.1\r\nHost: x/y\r\n\r\n",
    "two names in a Host": b"GET /a HTTP/1.1\r\nHost: x y\r\n\r\n",
    "a user in a Host": b"GET /a HTTP/1.1\r\nHost: u@x\r\n\r\n",
    "a port that is none": b"GET /a HTTP/1.1\r\nHost: x:http\r\n\r\n",
    "a user in an authority": b"GET http://u@x/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "no authority": b"GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n",
    "another scheme": b"GET ftp://x/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank before the colon": b"GET /a HTTP/1.1\r\nHost : x\r\n\r\n",
    "no name": b"GET /a HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
    "a folded line": b"GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "a blank before the first header": b"GET /a HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n",
    "a NUL in a value": b"GET /a HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    "a bare CR in a value": b"GET /a HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    "a bare LF": b"GET /a HTTP/1.1\nHost: x\n\n",
    "one bare LF among others": b"GET /a HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01",
    "two equal lengths": b"POST /a HTTP/1.1\r\nHost: x\r\n"
    + b"Content-Length: 1\r\n" * 2
    + b"\r\nx",
    "a list of lengths": b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\nx",
    "a length with a sign": b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx",
    "an empty length": b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n",
    "a length beyond all bounds": b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9%b\r\n\r\n"
    % (b"9" * 30),
    "a length and a coding": b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"POST /a HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice in a list": b"POST /a HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "not chunked at the end": b"POST /a HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "a coding in HTTP/1.0": b"POST /a HTTP/1.0\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk's size that is none": b"POST /a HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n",
    "a chunk longer than its size": b"POST /a HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("why", BAD)
def test_what_rfc_9112_does_not_allow_is_a_400(port: int, why: str) -> None:
    """Refused with a JSON body, after which the connection is closed: nothing behind it counts."""
    status, body = only(port, BAD[why] + (b"" if b"\n" not in BAD[why] else GOOD))

    assert status == 400
    assert body == {"message": "Bad Request"}


@pytest.mark.parametrize(("line", "status"), [(b"GET /a HTTP/2.0", 505), (b"GET /a HTTP/3.7", 505)])
def test_another_major_version_is_a_505(port: int, line: bytes, status: int) -> None:
    """A version of HTTP that is not spoken here is refused as such (RFC 9110, 15.6.6)."""
    assert only(port, line + b"\r\nHost: x\r\n\r\n")[0] == status


def test_a_later_minor_version_is_taken_for_the_last_known(port: int) -> None:
    """HTTP/1.7 is served as HTTP/1.1 (RFC 9110, 6.2)."""
    assert only(port, b"GET /a HTTP/1.7\r\nHost: x\r\n\r\n")[0] == 200


def test_an_unknown_coding_is_a_501(port: int) -> None:
    """A transfer coding that is not understood is refused as such (RFC 9112, 6.1)."""
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"

    assert only(port, head)[0] == 501


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        (b"http://api.example/a?b=c", "api.example", "/a"),
        (b"HTTPS://api.example:8443/a?b=c", "api.example:8443", "/a"),
        (b"http://[::1]:80/a?b=c", "[::1]:80", "/a"),
        (b"http://api.example?b=c", "api.example", "/"),
    ],
)
def test_an_authority_stands_for_host(port: int, target: bytes, host: str, path: str) -> None:
    """Of an absolute form the authority counts, whatever Host says (RFC 9112, 3.2.2)."""
    status, said = only(port, b"GET %b HTTP/1.1\r\nHost: other.example\r\n\r\n" % target)

    assert status == 200
    assert said["path"] == path
    assert said["query"] == "b=c"
    assert said["headers"] == [["host", host]]


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (b"Host: x \t\r\nA:b \t \r\nB:\t c\r\n", [["host", "x"], ["a", "b"], ["b", "c"]]),
        (b"Host: x\r\nA: \r\nB:\r\n", [["host", "x"], ["a", ""], ["b", ""]]),
        (b"Host: x.example.:80\r\n", [["host", "x.example.:80"]]),
        (b"hOST:\r\n", [["host", ""]]),
        (b"Host: x\r\nA: \xe9\r\n", [["host", "x"], ["a", "\xe9"]]),
    ],
)
def test_blanks_around_a_value_are_none_of_it(
    port: int, head: bytes, headers: list[list[str]]
) -> None:
    """A value is what is between its blanks, as it was sent."""
    status, said = only(port, b"GET /a HTTP/1.1\r\n%b\r\n" % head)

    assert status == 200
    assert said["headers"] == headers


def test_http_1_0_needs_no_host(port: int) -> None:
    """A client of 1996 is answered, and the connection closed."""
    assert only(port, b"GET /a HTTP/1.0\r\n\r\n" + GOOD)[0] == 200


def test_one_empty_line_before_a_request(port: int) -> None:
    """What some clients send behind a body is passed over (RFC 9112, 2.2)."""
    assert [status for status, _ in ask(port, b"\r\n" + GOOD + b"\r\n" + GOOD)] == [200, 200]


@pytest.mark.parametrize("chunk", [0, 1, 7])
def test_requests_in_one_row_are_answered_in_turn(port: int, chunk: int) -> None:
    """Several requests at once, with bodies of both kinds and without, get an answer each."""
    row = [
        GOOD,
        b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n\r\n\r\nz",
        b"GET /c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"POST /d HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        (
            b"POST /e HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nHost: z\r\n\r\n"
        ),
    ]

    found = ask(port, b"".join(row), chunk=chunk)

    assert [status for status, _ in found] == [200] * 5
    assert [said["path"] for _, said in found] == ["/a", "/b", "/c", "/d", "/e"]
    assert [said["body"] for _, said in found] == ["", "\r\n\r\nz", "", "", "abcde"]
    assert all(["host", "x"] in said["headers"] for _, said in found)


def test_what_follows_a_request_is_refused_after_its_answer(port: int) -> None:
    """Bytes behind a whole request are no part of it: its answer comes first, then a 400."""
    post = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"

    found = ask(port, post + b"xyz: not a request\r\n\r\n")

    assert [status for status, _ in found] == [200, 400]
    assert found[0][1]["body"] == "x"


def test_nothing_is_served_after_a_close(port: int) -> None:
    """A client that asks for a close gets one answer (RFC 9112, 9.6)."""
    close = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert [status for status, _ in ask(port, close + GOOD)] == [200]


def test_a_request_behind_a_chunked_one_is_answered_or_the_connection_closed(port: int) -> None:
    """Never is a part of the first request taken for the second."""
    chunked = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"

    found = ask(port, chunked + GOOD)

    assert [status for status, _ in found] in ([200], [200, 200])


@pytest.mark.parametrize("body", [b"", b"x" * 300_000])
def test_a_client_that_closes_its_sending_side_gets_its_answer(body: bytes) -> None:
    """As `nc -N` does: what was asked is answered, however long that takes."""
    with serving(Limits()) as (port, echo), socket.create_connection(("127.0.0.1", port)) as one:
        one.settimeout(10)
        head = b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        one.sendall(head + body)
        one.shutdown(socket.SHUT_WR)
        time.sleep(0.2)
        echo.go.set()

        ((status, said),) = answers(received(one))

    assert status == 200
    assert said["body"] == body.decode()


@pytest.mark.parametrize("request_bytes", [GOOD[:-2], b"POST /a HTTP/1.1\r\nHost: x\r\n"])
def test_half_a_request_is_closed(port: int, request_bytes: bytes) -> None:
    """A client that stops in the middle gets no answer from a function."""
    assert all(status == 400 for status, _ in ask(port, request_bytes))


def test_a_cut_off_body_reaches_nobody() -> None:
    """A body shorter than its length is never taken for a whole one."""
    with serving(Limits()) as (port, echo):
        head = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nxyz"

        assert ask(port, head) == []
        until = time.monotonic() + 10
        while not echo.seen and time.monotonic() < until:
            time.sleep(0.01)
        assert echo.seen == ["cut off"]


def flood(port: int, begin: bytes, endless: bytes) -> tuple[int, bytes]:
    """Send without end until the other side has had enough: bytes sent, and what it said."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        try:
            connection.sendall(begin)
            while sent < 100 << 20:
                sent += connection.send(endless)
        except OSError:
            pass
        try:
            return sent, received(connection)
        except OSError:
            return sent, b""


LINE = b"GET /a HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "endless"),
    [
        (b"GET /", b"a" * 65536),
        (LINE + b"A: ", b"a" * 65536),
        (LINE, b"a" * 65536),
        (LINE, b"A: b\r\n" * 10_000),
        (CHUNKED + b"1;", b"a" * 65536),
        (CHUNKED + b"0\r\nA: ", b"a" * 65536),
        (CHUNKED + b"0\r\n", b"A: b\r\n" * 10_000),
    ],
    ids=["target", "value", "name", "headers", "extension", "trailer's value", "trailers"],
)
def test_a_part_without_end_is_cut_off(begin: bytes, endless: bytes) -> None:
    """What has no end in sight is not kept: refused, and others are served meanwhile."""
    with serving(QUICK) as (port, _):
        sent, said = flood(port, begin, endless)

        assert only(port, GOOD)[0] == 200
    assert sent < 100 << 20
    assert not said or answers(said)[0][0] == 431


@pytest.mark.parametrize(("size", "status"), [(65536, 200), (65537, 431)])
def test_a_head_has_64_kib(port: int, size: int, status: int) -> None:
    """A head of 65536 bytes is whole; one more is too many, wherever they come from."""
    head = LINE + b"A: %b\r\n\r\n"
    request = head % (b"a" * (size - len(head) + 2))

    assert len(request) == size
    assert only(port, request)[0] == status
    assert ask(port, request, chunk=4096)[0][0] == status


def test_another_port_may_take_more(port: int) -> None:
    """A server that trusts its clients says how large their heads may be."""
    request = LINE + b"A: %b\r\n\r\n" % (b"a" * 900_000)
    with serving(Limits(head=1 << 20)) as (other, _):
        assert only(other, request)[0] == 200
    assert only(port, request)[0] == 431


def drip(port: int, begin: bytes, drop: bytes) -> bytes:
    """Send a byte at a time until the other side closes; what it said."""
    until = time.monotonic() + 20
    with socket.create_connection(("127.0.0.1", port), timeout=0.05) as connection:
        connection.sendall(begin)
        said = b""
        while time.monotonic() < until:
            try:
                chunk = connection.recv(65536)
                if not chunk:
                    return said
                said += chunk
            except TimeoutError:
                connection.sendall(drop)
            except OSError:
                return said
    pytest.fail("still open")


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"G", b""),
        (b"GET /", b"a"),
        (LINE, b"A: b\r\n"),
        (LINE + b"Content-Length: 9999\r\n\r\n", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
        (GOOD + LINE, b"A: b\r\n"),
    ],
    ids=["nothing more", "target", "headers", "body", "chunks", "second request"],
)
def test_a_request_that_does_not_come_is_closed(impatient: int, begin: bytes, drop: bytes) -> None:
    """A client that sends a byte now and then is told that it took too long."""
    said = answers(drip(impatient, begin, drop))

    assert said[-1][0] == 408
    assert len(said) == begin.count(GOOD) + 1


@pytest.mark.parametrize("nothing", [b"", b"\r\n"])
def test_a_connection_without_a_request_is_closed(impatient: int, nothing: bytes) -> None:
    """Nobody holds a connection by saying nothing."""
    with socket.create_connection(("127.0.0.1", impatient), timeout=10) as connection:
        connection.sendall(nothing)
        assert received(connection) == b""


def test_a_slow_function_is_waited_for() -> None:
    """What bounds a client's time does not bound the function's."""
    with serving(QUICK) as (port, echo), socket.create_connection(("127.0.0.1", port)) as one:
        one.settimeout(10)
        one.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(1)
        echo.go.set()

        assert answers(received(one))[0][0] == 200


def test_a_bad_request_costs_no_log_line(port: int, caplog: pytest.LogCaptureFixture) -> None:
    """Strangers cannot fill a log."""
    upgrade = LINE + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    with caplog.at_level("INFO"):
        for request in (*BAD.values(), upgrade):
            ask(port, request)

    assert not [record for record in caplog.records if record.name == "uvicorn.error"]
