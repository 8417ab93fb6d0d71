"""Generated requests that try to get elsewhere: none does, and no error is the forwarder's own."""

from __future__ import annotations

import posixpath
import re
import socket
import sys
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

import pytest
from forwarder.backend import Backend
from forwarder.failure import FailedError
from forwarder.handler import handle
from forwarder.response import Incoming

from tests.forwarder.hostile import METHODS, Hostile, Source, pairs_of
from tests.signing.gateway import read_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.signing.verifier import Wire

REQUESTS = 50_000  # in less than ten seconds
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SET = {
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-host", "api.example.com"),
    ("x-forwarded-port", "443"),
    ("x-forwarded-proto", "https"),
    ("via", "1.1 forwarder"),
}
# What a browser's script, a proxy or a framework may take for the way to somewhere.
NEVER = {"transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "x-api-key"}
NEVER |= {"x-apigw-api-id", "x-original-url", "x-rewrite-url", "forwarded", "x_forwarded_host"}
NEVER |= {"proxy", "x-http-method-override"}

connected: Counter[Any] = Counter()
watching = threading.Event()


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Count every address that anything in this process looks up or connects to."""
    if watching.is_set() and event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        address = arguments[1] if event != "socket.getaddrinfo" else arguments[:2]
        connected[address] += 1


sys.addaudithook(watch)


class Strict:
    """A backend that takes one request at a time, and whatever else comes for an attack."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.received: list[Wire] = []
        self.connections: list[socket.socket] = []
        self.thread = threading.Thread(target=self._accept)
        self.thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                with connection, connection.makefile("rb") as stream:
                    while (wire := read_request(stream)) is not None:
                        self.received.append(wire)
                        head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
                        connection.sendall(head if wire.method == b"HEAD" else RESPONSE)

    def close(self) -> None:
        for one in (self.listener, *self.connections):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


@pytest.fixture
def strict() -> Iterator[Strict]:
    server = Strict()
    watching.set()
    yield server
    watching.clear()
    server.close()


def test_nothing_reaches_anything_but_the_backend(strict: Strict, context: Any) -> None:
    """Each request arrives at the backend, below its path and as it was sent, or not at all."""
    connected.clear()
    url = f"http://127.0.0.1:{strict.address[1]}/base"
    backend, source = Backend.from_environment({"BACKEND_URL": url}), Source(1)
    statuses: Counter[int] = Counter()
    for number in range(REQUESTS):
        hostile = source.http() if number % 2 else source.rest()
        rendered = handle(hostile.event, context, backend)
        statuses[rendered["statusCode"]] += 1
        if rendered["statusCode"] == 200:
            assert len(strict.received) == 1
            check(hostile, strict.received.pop(), strict.address[1])
        else:
            assert rendered["statusCode"] == (405 if hostile.method not in METHODS else 400)
            assert strict.received == []
    backend.close()
    looked_up = (b"127.0.0.1", strict.address[1])
    assert connected.keys() <= {strict.address, looked_up}
    # All kinds were there: otherwise this has shown nothing.
    assert statuses.keys() == {200, 400, 405}
    assert statuses[200] > REQUESTS // 5


def check(hostile: Hostile, wire: Wire, port: int) -> None:
    """What arrived is what was sent: no more, no other, nowhere else."""
    is_rest = "version" not in hostile.event
    path, _, query = wire.target.decode("ascii").partition("?")
    assert wire.method.decode() == hostile.method
    assert wire.body == hostile.body
    assert path.startswith("/base/")
    assert path.isprintable()
    assert " " not in wire.target.decode()
    # However often it is decoded, and whichever way slashes go, it stays below the base path.
    place = path
    for _ in range(6):
        place = unquote(place.replace("\\", "/"), "latin-1")
        plain = re.sub(r" *[\\/;?#] *", "/", place)
        plain = posixpath.normpath("/" + plain.lstrip("/"))
        assert plain.startswith("/base")
        assert not {"\r", "\n", "\x00"} & set(place)
    if is_rest and hostile.below.isascii() and not set(hostile.below) & set("#? "):
        assert path == f"/base{hostile.below}"
    elif is_rest:
        assert unquote(path) == f"/base{unquote(hostile.below)}"
    else:
        assert unquote(path) == f"/base{hostile.below}".replace("%25", "%")
    if is_rest:
        assert Counter(pairs_of(query)) == Counter(hostile.pairs)
    else:
        assert unquote_to_bytes(query) == unquote_to_bytes(hostile.query)
    names = Counter(name.lower().decode() for name, _ in wire.headers)
    for name in ("host", *(name for name, _ in SET)):
        assert names[name] == 1
    assert not names.keys() & NEVER
    assert wire.one("host") == f"127.0.0.1:{port}"
    length = str(len(hostile.body))
    came = {("content-length", length), ("host", f"127.0.0.1:{port}"), *SET}
    came |= {(name.lower(), value.strip()) for name, value in hostile.headers}
    came |= {(name.lower(), value.strip()) for name, value in hostile.event["headers"].items()}
    for lower, value in ((name.lower().decode(), value.strip()) for name, value in wire.headers):
        assert {(lower, value.decode("latin-1")), (lower, value.decode(errors="replace"))} & came


SAMPLES = (
    RESPONSE,
    (
        b"HTTP/1.1 103 X\r\nLink: a\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nabcde\r\n3;x=y\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"
    ),
    b"HTTP/1.0 302 Found\r\nLocation: /x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nbody",
)


def test_no_answer_is_an_error_of_its_own() -> None:
    """Whatever bytes come, in whatever parts: an answer, or a failure with a phase and a kind."""
    source = Source(2)
    ends: Counter[str] = Counter()
    for number in range(REQUESTS):
        parts = iter(source.pieces(source.mutated(SAMPLES[number % len(SAMPLES)])))
        incoming = Incoming(lambda parts=parts: next(parts, b""))  # type: ignore[misc]
        try:
            head = incoming.head()
            body = incoming.body("GET", head)
        except FailedError as failed:
            ends[f"{failed.status} {failed.kind}"] += bool(failed.text)
        else:
            ends["answered"] += 1
            assert 200 <= head.status < 600
            assert all(not {"\r", "\n", "\x00"} & set(value) for _, value in head.headers)
            assert len(body) < 200
    kinds = {"answered", "502 closed", "502 malformed", "502 too large"}
    assert ends.keys() == kinds
    assert ends.total() == REQUESTS
