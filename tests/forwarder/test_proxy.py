"""The way through a proxy, as the local run's functions have it."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.forwarder.scripted import answers, response
from tests.forwarder.subject import said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.forwarder.subject import Pair

    Serve = Callable[..., Pair]


class Proxy:
    """A proxy that takes CONNECT to one port of this machine, or refuses with `status`."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.asked: list[bytes] = []
        self.answer = b"HTTP/1.1 200 Connected\r\n\r\n"
        self.port = 0
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                thread = threading.Thread(target=self.serve, args=(connection,), daemon=True)
                thread.start()
                self.threads.append(thread)

    def serve(self, connection: socket.socket) -> None:
        with connection:
            self.asked.append(connection.recv(65536))
            connection.sendall(self.answer)
            if b" 200 " not in self.answer:
                return
            with socket.create_connection(("127.0.0.1", self.port)) as upstream:
                back = threading.Thread(target=self.copy, args=(upstream, connection))
                back.start()
                self.copy(connection, upstream)
                back.join()

    def copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    one = Proxy()
    yield one
    one.listener.shutdown(socket.SHUT_RDWR)
    one.listener.close()
    for thread in one.threads:
        thread.join(5)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_tunnel(serve: Serve, proxy: Proxy, scheme: str) -> None:
    """The backend's name is the proxy's to resolve; TLS is with the backend."""
    pair = serve(
        answers(response(200, b"through")),
        BACKEND_URL=f"{scheme}://localhost:8443/base",
        HTTPS_PROXY=proxy.url,
        HTTP_PROXY=proxy.url,
    )
    if scheme == "http":
        pair.server.tls = None
    proxy.port = pair.server.port
    assert [pair.ask(path="/secret").body for _ in range(2)] == [b"through"] * 2
    assert proxy.asked == [b"CONNECT localhost:8443 HTTP/1.1\r\nHost: localhost:8443\r\n\r\n"]
    assert pair.server.last.one("host") == "localhost:8443"
    pair.backend.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 502 Name not known in this network\r\n\r\n",
        b"HTTP/1.1 407 X\r\n\r\n",
        b"nonsense",
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"a" * 100_000,
    ],
)
def test_a_proxy_that_refuses(serve: Serve, proxy: Proxy, answer: bytes) -> None:
    """Without a tunnel there is nobody to send to: 502."""
    proxy.answer = answer.replace(b" 200 ", b" 2 ")
    refused = serve(BACKEND_URL="https://backend.example.internal", HTTPS_PROXY=proxy.url).ask()
    assert refused.status == 502
    assert said(refused) == "The proxy on the way to the backend refused the connection"


# Python 3.11 leaves it to the collector to close a socket that wrap_socket does not like.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_tunnel_that_is_reset(serve: Serve) -> None:
    """A proxy that takes CONNECT and goes away is a 502, at whatever moment it does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def reset() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                connection.close()

    thread = threading.Thread(target=reset)
    thread.start()
    pair = serve(
        BACKEND_URL="https://backend.example.internal",
        HTTPS_PROXY=f"http://127.0.0.1:{listener.getsockname()[1]}",
    )
    assert {pair.ask().status for _ in range(200)} == {502}
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_proxy_that_says_nothing(serve: Serve) -> None:
    """It has the time for connecting, no more."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = serve(
            BACKEND_URL="https://backend.example.internal",
            HTTPS_PROXY=f"http://127.0.0.1:{silent.getsockname()[1]}",
            BACKEND_CONNECT_SECONDS="0.3",
        ).ask()
    assert (answer.status, said(answer)) == (504, "The connection to the backend took too long")


def test_no_proxy(serve: Serve) -> None:
    """Hosts that are excepted are connected to directly."""
    assert serve(HTTPS_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1").ask().status == 200
