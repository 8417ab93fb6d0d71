"""The HTTP server under the door and the Runtime API: uvicorn, many loopback ports, one process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from backstairs.access import refusals
from backstairs.http.asgi import App, Receive, Scope, Send, send_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


class _Protocol(HttpToolsProtocol):
    """Keeps header names as they were sent, and answers malformed HTTP with a body like ours."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._names: list[bytes] = []
        self._in_head = True
        self.scope["state"]["header_names"] = self._names

    def on_header(self, name: bytes, value: bytes) -> None:
        # What follows a chunked body is no header (RFC 9110, section 6.5.1).
        if self._in_head:
            self._names.append(name)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - not repeated to the client
        refusal = refusals.BAD_REQUEST
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            b"x-amzn-errortype: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
            % (refusal.error_type.encode(), len(refusal.body), refusal.body)
        )
        self.transport.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the command that runs the server."""
        yield


def _tls(_: uvicorn.Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """What uvicorn makes; an end without close_notify, which Python 3.11.2 ignores, is an error."""
    context = default()
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def listen() -> socket.socket:
    """A socket on a free port of 127.0.0.1."""
    return socket.create_server(("127.0.0.1", 0), backlog=1024)


def port_of(listener: socket.socket) -> int:
    """The port a socket listens on."""
    port: int = listener.getsockname()[1]
    return port


class Servers:
    """Applications by port; with `certificate` (a PEM file with its key) over TLS."""

    def __init__(self, certificate: Path | None = None) -> None:
        self._apps: dict[int, App] = {}
        self._sockets: list[socket.socket] = []
        path = str(certificate) if certificate else None
        config = uvicorn.Config(
            self._route,
            interface="asgi3",
            http=_Protocol,
            # No proxy stands in front; X-Forwarded-For is a client's own word.
            proxy_headers=False,
            loop="none",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            ssl_certfile=path,
            ssl_keyfile=path,
            ssl_context_factory=_tls if certificate else None,
        )
        self._server = _Server(config)

    def add(self, app: App) -> int:
        """Serve an application on a port of its own; returns the port."""
        listener = listen()
        self._sockets.append(listener)
        self._apps[port_of(listener)] = app
        return port_of(listener)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._apps[scope["server"][1]](scope, receive, send)

    async def run(self) -> None:
        """Serve until `stop` is called."""
        await self._server.serve(self._sockets)

    async def started(self) -> None:
        """Wait until the ports answer."""
        while not self._server.started:  # noqa: ASYNC110 - uvicorn tells in no other way
            await asyncio.sleep(0.005)

    def stop(self) -> None:
        """Close the ports and the connections."""
        self._server.should_exit = True
        self._server.force_exit = True


async def send_json(send: Send, status: int, body: Mapping[str, Any]) -> None:
    """Answer with a JSON object."""
    content = json.dumps(body).encode()
    await send_response(send, status, content, [(b"content-type", b"application/json")])
