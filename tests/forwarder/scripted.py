"""A backend on a raw loopback socket that follows a script, however bad."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.signing.gateway import read_request

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from tests.signing.verifier import Wire

    Script = Callable[[Wire, socket.socket], bool]


@dataclass
class Scripted:
    """`script` deals with one request on a socket, and says whether another may come there."""

    script: Script
    tls: ssl.SSLContext | None = None
    received: list[Wire] = field(default_factory=list, repr=False)
    connections: int = 0

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open = True
        self.sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the acceptor
        self._threads[0].join()
        self._server.close()
        self.hang_up()
        for thread in self._threads:
            thread.join()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    @property
    def last(self) -> Wire:
        return self.received[-1]

    def hang_up(self) -> None:
        """End every connection, as a server does that restarts."""
        for connection in self.sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while self._open:
            connection, _ = self._server.accept()
            if not self._open:
                connection.close()
                return
            connection.settimeout(20)
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            self.sockets.append(connection)
            with connection, connection.makefile("rb") as stream:
                while (wire := read_request(stream)) is not None:
                    self.received.append(wire)
                    if not self.script(wire, connection):
                        return


def answers(*texts: bytes | Callable[[Wire], bytes]) -> Script:
    """Answer in turn, the last one for ever, on connections that stay."""
    left = list(texts)

    def script(wire: Wire, connection: socket.socket) -> bool:
        text = left.pop(0) if len(left) > 1 else left[0]
        connection.sendall(text(wire) if callable(text) else text)
        return True

    return script


def closes_after(text: bytes) -> Script:
    """Answer, and end the connection as TLS wants it."""

    def script(_: Wire, connection: socket.socket) -> bool:
        connection.sendall(text)
        with suppress(OSError):
            if hasattr(connection, "unwrap"):
                connection.unwrap()
        return False

    return script


def cut_off_after(text: bytes) -> Script:
    """Answer, and end the connection without a word of TLS."""

    def script(_: Wire, connection: socket.socket) -> bool:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_RDWR)
        return False

    return script


def resets_after(text: bytes) -> Script:
    """Answer, and reset the connection."""

    def script(_: Wire, connection: socket.socket) -> bool:
        if text:
            connection.sendall(text)
            time.sleep(0.1)  # or the reset overtakes it
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return script


def stalls_after(text: bytes) -> Script:
    """Answer that much, and say no more until the other side is gone."""

    def script(_: Wire, connection: socket.socket) -> bool:
        connection.sendall(text)
        with suppress(OSError):
            connection.recv(1)
        return False

    return script


def trickles(text: bytes, seconds: float) -> Script:
    """Answer byte by byte."""

    def script(_: Wire, connection: socket.socket) -> bool:
        for byte in text:
            connection.sendall(bytes((byte,)))
            time.sleep(seconds)
        return True

    return script


def response(
    status: int = 200, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()
) -> bytes:
    """A well-formed response."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    length = f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status} X\r\n{length}{lines}\r\n".encode("latin-1") + body
