"""Connections: kept, found to be stale, made again; and what is sent twice."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from forwarder.backend import Backend
from forwarder.connection import Connection, connect

from tests.forwarder.scripted import answers, closes_after, resets_after, response, stalls_after
from tests.forwarder.subject import open_files, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.forwarder.subject import Pair
    from tests.signing.verifier import Wire

    Serve = Callable[..., Pair]

BROKEN = "The backend broke the connection"


def test_one_connection_for_calls_in_turn(serve: Serve) -> None:
    """A connection is used again and again, whatever the verb and the size."""
    pair = serve(answers(lambda wire: response(200, wire.body)))
    for method, body in (("GET", b""), ("PUT", b"x" * 100_000), ("HEAD", b""), ("POST", b"y")):
        assert pair.ask(method, body=body).status == 200
    assert (pair.server.connections, len(pair.server.received)) == (1, 4)


@pytest.mark.parametrize(
    "text",
    [
        response(200, b"a", [("Connection", "close")]),
        response(200, b"a", [("connection", "X-A, Close")]),
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
        # Bytes that nobody asked for might be taken for the next answer.
        response(200, b"a") + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
        b"HTTP/1.1 204 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
        # A body may yet come, for what has none.
        b"HTTP/1.1 204 X\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=[
        *("close", "among others", "1.0", "1.0 keep-alive", "left over", "left over after 204"),
        *("204 with a length", "204 with chunks", "304 with chunks"),
    ],
)
def test_connections_that_are_not_kept(serve: Serve, text: bytes) -> None:
    """After these answers the next call has a connection of its own."""
    pair = serve(answers(text, response(200, b"next")))
    assert pair.ask().body in (b"a", b"")
    assert pair.ask().body == b"next"
    assert pair.server.connections == 2


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 204 X\r\n\r\n",
        b"HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 304 X\r\nContent-Length: 6\r\n\r\n",
    ],
    ids=["204", "204 with a length of 0", "304"],
)
def test_connections_that_are_kept_after_no_body(serve: Serve, text: bytes) -> None:
    """No one reads a body after these."""
    pair = serve(answers(text, response(200, b"next")))
    assert [pair.ask().body for _ in range(2)] == [b"", b"next"]
    assert pair.server.connections == 1


def test_bytes_that_come_later(serve: Serve) -> None:
    """What comes on an idle connection is nobody's answer: the connection is dropped."""
    pair = serve(answers(response(200, b"first")))
    pair.ask()
    pair.server.script = answers(response(200, b"second"))
    for connection in pair.server.sockets:
        connection.sendall(response(200, b"forged"))
    time.sleep(0.05)
    assert pair.ask().body == b"second"
    assert pair.server.connections == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_idle_connections_that_the_backend_closed(serve: Serve, method: str) -> None:
    """They are noticed before anything is sent: whatever the verb, the call succeeds, sent once."""
    pair = serve()
    pair.ask()
    pair.server.hang_up()
    time.sleep(0.05)
    assert pair.ask(method, body=b"x").status == 200
    assert (pair.server.connections, len(pair.server.received)) == (2, 2)


def test_connections_that_were_idle_for_long(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load balancer may have forgotten them, without a word; a frozen sandbox ages them too."""
    pair = serve()
    pair.ask()
    later = time.time() + 55
    monkeypatch.setattr("forwarder.pool.time.time", lambda: later)
    assert pair.ask().status == 200
    assert pair.server.connections == 2


@pytest.mark.parametrize(
    ("method", "idle", "connections"),
    [
        ("POST", 1, 1),
        ("PATCH", 1, 1),
        ("POST", 4, 2),
        ("PATCH", 4, 2),
        ("GET", 4, 1),
        ("PUT", 4, 1),
    ],
)
def test_what_is_sent_once_gets_a_fresh_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, *, method: str, idle: float, connections: int
) -> None:
    """A backend may be about to close one that was idle for seconds, as many do after five."""
    pair = serve()
    pair.ask()
    later = time.time() + idle
    monkeypatch.setattr("forwarder.pool.time.time", lambda: later)
    assert pair.ask(method).status == 200
    assert pair.server.connections == connections


def test_connections_do_not_pile_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were too old for a request are closed, not kept beside the new one."""
    pair = serve()
    before, now = open_files(), time.time()
    for number in range(20):
        monkeypatch.setattr("forwarder.pool.time.time", lambda: now + 4 * number)  # noqa: B023
        assert pair.ask("POST").status == 200
    pair.server.hang_up()
    time.sleep(0.1)
    assert open_files() <= before + 1


def fails_second(ending: Callable[[Wire, socket.socket], bool]) -> Callable[..., bool]:
    """Answer the first request of a connection; the second ends it."""
    seen: set[socket.socket] = set()

    def script(wire: Wire, connection: socket.socket) -> bool:
        if connection in seen:
            return ending(wire, connection)
        seen.add(connection)
        connection.sendall(response(200, b"ok"))
        return True

    return script


@pytest.mark.parametrize("ending", [closes_after(b""), resets_after(b"")], ids=["end", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_what_is_safe_to_repeat_is_sent_again(
    serve: Serve, method: str, ending: Callable[..., bool]
) -> None:
    """A kept connection that ends without an answer is made again, once."""
    pair = serve(fails_second(ending))
    pair.ask()
    assert pair.ask(method, body=b"x").status == 200
    assert (pair.server.connections, len(pair.server.received)) == (2, 3)


@pytest.mark.parametrize("ending", [closes_after(b""), resets_after(b"")], ids=["end", "reset"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_is_not_safe_is_sent_once(
    serve: Serve, method: str, ending: Callable[..., bool]
) -> None:
    """Nobody knows whether the backend has acted on it: a 502."""
    pair = serve(fails_second(ending))
    pair.ask()
    time.sleep(0.06)
    assert pair.ask(method, body=b"x").status == 502
    assert len(pair.server.received) == 2


def closes_at_once(_: Wire, connection: socket.socket) -> bool:
    """Answer, say that nothing follows, and close without waiting for the other side."""
    connection.sendall(response(200, b"ok"))
    if isinstance(connection, ssl.SSLSocket):
        connection.settimeout(0)
        with suppress(ssl.SSLWantReadError):
            connection.unwrap()
    return False


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("is_reset", [False, True], ids=["FIN", "FIN and reset"])
def test_what_was_sent_to_who_had_closed_is_sent_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, *, scheme: str, is_reset: bool
) -> None:
    """A backend that had closed before a byte came cannot have read it: sent again, and once read.

    That the connection seems alive stands for the moment in which its end is on its way.
    """
    pair = serve()
    pair.server.script = closes_at_once
    if scheme == "http":
        pair.server.tls = None
        environment = pair.environment | {"BACKEND_URL": f"http://127.0.0.1:{pair.server.port}"}
        pair = pair._replace(backend=Backend.from_environment(environment))
    monkeypatch.setattr("forwarder.connection.Connection.is_quiet", lambda _: True)
    later = iter(range(1, 1000))
    monkeypatch.setattr("forwarder.pool.time.time", lambda: next(later) * 0.1)
    if is_reset:
        # The answer to the request is a reset, which is here before anybody looks.
        real = Connection.receive

        def late(connection: Connection) -> bytes:
            time.sleep(0.05)
            return real(connection)

        monkeypatch.setattr(Connection, "receive", late)
    for number in range(4):
        assert pair.ask("POST", body=b"%d" % number).status == 200
        time.sleep(0.05)
    assert [wire.body for wire in pair.server.received] == [b"0", b"1", b"2", b"3"]
    pair.backend.close()


def test_who_has_only_ended_its_own_side_may_read_on() -> None:
    """A FIN alone shows that no answer comes, not that nobody reads: only a reset shows that."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(5):
            until = time.monotonic() + 5
            kept = connect("127.0.0.1", server.getsockname()[1], until, proxy=None, tls=None)
            other, _ = server.accept()
            with other:
                # After some turns, TCP acknowledges late, with an answer or after 40 ms.
                for _ in range(20):
                    kept.send(b"GET / HTTP/1.1\r\n\r\n")
                    other.recv(100)
                    other.sendall(response())
                    kept.receive()
                time.sleep(0.06)
                kept.mark()
                other.shutdown(socket.SHUT_WR)
                time.sleep(0.01)
                kept.send(b"POST / HTTP/1.1\r\n\r\n")
                assert kept.receive() == b""
                assert not kept.is_unread()
                assert other.recv(100).startswith(b"POST")
            kept.close()


def test_what_was_read_in_part_is_not_unread(server_tls: ssl.SSLContext, ca: str) -> None:
    """A request of many records, of which the backend reads the first and resets."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as pool:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def reads_one() -> bytes:
            plain, _ = server.accept()
            with server_tls.wrap_socket(plain, server_side=True) as other:
                begun = other.recv(16384)
                other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                time.sleep(0.1)
            return begun

        begun = pool.submit(reads_one)
        narrow = socket.create_connection(server.getsockname())
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        tls = ssl.create_default_context(cadata=ca)
        kept = Connection(
            tls.wrap_socket(narrow, server_hostname="localhost"), time.monotonic() + 5
        )
        kept.mark()
        kept.send(b"POST / HTTP/1.1\r\n\r\n" + bytes(60_000))
        with suppress(OSError):
            kept.receive()
        assert begun.result().startswith(b"POST")
        assert not kept.is_unread()
        kept.close()


@pytest.mark.parametrize("script", [closes_at_once, closes_after(response(200, b"ok"))])
def test_a_backend_that_closes_after_each_answer(serve: Serve, script: Callable[..., bool]) -> None:
    """Every POST that it has not read is answered, none is read twice, however the end races."""
    pair = serve(script)
    statuses = [pair.ask("POST", body=b"%d" % number).status for number in range(200)]
    bodies = [wire.body for wire in pair.server.received]
    assert len(bodies) == len(set(bodies))
    assert statuses == [200] * 200


def test_the_first_reuse_of_a_connection_is_of_what_can_be_repeated(serve: Serve) -> None:
    """After its first answer the backend may be about to close it; later it is not."""
    pair = serve()
    assert [pair.ask("POST").status for _ in range(2)] == [200] * 2
    assert pair.server.connections == 2
    time.sleep(0.06)
    assert [pair.ask("POST").status for _ in range(3)] == [200] * 3
    assert pair.server.connections == 2


@pytest.mark.parametrize(
    "ending",
    [closes_after(b"HTTP/1.1"), resets_after(b"HTTP/1.1 200 OK\r\n"), closes_after(b"x\r\n\r\n")],
)
def test_nothing_is_sent_again_once_an_answer_began(
    serve: Serve, ending: Callable[..., bool]
) -> None:
    """A byte of an answer shows that the backend had the request."""
    pair = serve(fails_second(ending))
    pair.ask()
    assert pair.ask().status == 502
    assert len(pair.server.received) == 2


def test_a_new_connection_is_not_tried_twice(serve: Serve) -> None:
    """A backend that ends each connection gets each request once."""
    pair = serve(resets_after(b""))
    answer = pair.ask()
    assert (answer.status, said(answer)) == (502, BROKEN)
    assert len(pair.server.received) == 1


def test_no_second_time_after_a_timeout(serve: Serve) -> None:
    """The time is over, and the backend may still be at it."""
    pair = serve(fails_second(stalls_after(b"")), BACKEND_SECONDS="0.4")
    pair.ask()
    assert pair.ask().status == 504
    assert len(pair.server.received) == 2


def test_threads_do_not_meet(serve: Serve) -> None:
    """Twenty callers at once, each gets its own answer; no more connections than callers."""
    pair = serve(answers(lambda wire: response(200, wire.target)))
    paths = [f"/{number}" for number in range(400)]
    with ThreadPoolExecutor(20) as pool:
        bodies = list(pool.map(lambda path: pair.ask(path=path).body, paths))
    assert bodies == [f"/base{path}".encode() for path in paths]
    assert pair.server.connections <= 20
