"""The HTTP server under the door and the Runtime API: uvicorn, many loopback ports, one process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn

from backstairs.http.asgi import App, Receive, Scope, Send, send_response
from backstairs.http.limits import Limits
from backstairs.http.protocol import Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


_DEFAULT = Limits()


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
        self._limits: dict[int, Limits] = {}
        self._sockets: list[socket.socket] = []
        path = str(certificate) if certificate else None
        config = uvicorn.Config(
            self._route,
            interface="asgi3",
            http=partial(Protocol, limits=self._limits),  # type: ignore[arg-type]
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

    def add(self, app: App, limits: Limits = _DEFAULT) -> int:
        """Serve an application on a port of its own; returns the port."""
        listener = listen()
        self._sockets.append(listener)
        self._limits[port_of(listener)] = limits
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
