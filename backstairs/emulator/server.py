"""uvicorn in front of the account, with one line on stdout once it answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import uvicorn

from backstairs.emulator.account import account

if TYPE_CHECKING:
    import socket
    from types import FrameType

# What they say below this level names access keys, or says nothing to anyone but their authors.
_QUIET = {
    "ministack": logging.WARNING,
    "iam": logging.WARNING,
    "sts": logging.WARNING,
    "samtranslator": logging.ERROR,
}


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.config.host, self.config.port
            print(f"account ready on http://{host}:{port}", flush=True)  # noqa: T201

    def handle_exit(self, _signal: int, _frame: FrameType | None) -> None:
        """Stop, and end as if asked to: no signal is raised again."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop at once: nothing is kept, so there is nothing to put away."""
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()


def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT; raises SystemExit when the port is taken."""
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
    options: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "http": "httptools",
        "loop": "uvloop",
        "lifespan": "on",
        "proxy_headers": False,
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "date_header": False,
        "timeout_graceful_shutdown": 1,
        "timeout_keep_alive": 75,
    }
    _Server(uvicorn.Config(account, **options)).run()
