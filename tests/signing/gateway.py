"""A server on a raw loopback socket: keeps what came, answers what a test wants, or worse."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Self

from tests.signing.verifier import Wire

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

RESET = b"reset the connection"  # an answer that is none


@dataclass
class Gateway:
    """`answer` is given each request and returns the bytes of a response (or RESET).

    With `hang_up` each connection ends after an answer, without a word. One that was idle for more
    than `forgets_after` seconds is reset when its next request comes, as by an interface endpoint.
    """

    answer: Callable[[Wire], bytes] = lambda _: response(200)
    hang_up: bool = False
    forgets_after: float = 60.0
    connections: int = 0
    tls: ssl.SSLContext | None = None
    received: list[Wire] = field(default_factory=list, repr=False)

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open = True
        self._acceptor = threading.Thread(target=self._accept)
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the acceptor
        self._acceptor.join()
        self._server.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def last(self) -> Wire:
        return self.received[-1]

    def _accept(self) -> None:
        while self._open:
            connection, _ = self._server.accept()
            connection.settimeout(10)
            self.connections += 1
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                idle_since = None
                while (wire := read_request(stream)) is not None:
                    now = time.monotonic()
                    forgotten = idle_since is not None and now - idle_since > self.forgets_after
                    if not forgotten:
                        self.received.append(wire)
                    answer = RESET if forgotten else self.answer(wire)
                    if answer is RESET:
                        linger = struct.pack("ii", 1, 0)
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        return
                    connection.sendall(answer)
                    idle_since = time.monotonic()
                    if self.hang_up or b"\r\nConnection: close\r\n" in answer:
                        return


class Script:
    """Answers in turn, the last one for ever."""

    def __init__(self, *answers: bytes | Callable[[], bytes]) -> None:
        self.answers: Iterator[bytes | Callable[[], bytes]] = iter(answers)
        self.last: bytes | Callable[[], bytes] = RESET

    def __call__(self, _: Wire) -> bytes:
        self.last = next(self.answers, self.last)
        return self.last() if callable(self.last) else self.last


def response(status: int, body: object = b"", headers: dict[str, str] | None = None) -> bytes:
    """Put a response into bytes; anything but bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Length": str(len(content)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content


def read_request(stream: BinaryIO) -> Wire | None:
    """Read one request off a socket, taking the body out of its framing."""
    line = stream.readline().rstrip(b"\r\n")
    if not line:
        return None
    method, target, _ = line.split(b" ")
    headers: list[tuple[bytes, bytes]] = []
    while text := stream.readline().rstrip(b"\r\n"):
        name, _, value = text.partition(b":")
        headers.append((name, value.removeprefix(b" ")))
    wire = Wire(method, target, tuple(headers), b"")
    if wire.all("transfer-encoding") == [b"chunked"]:
        return Wire(method, target, tuple(headers), _chunks(stream))
    length = wire.all("content-length")
    return Wire(method, target, tuple(headers), stream.read(int(length[0])) if length else b"")


def _chunks(stream: BinaryIO) -> bytes:
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body
