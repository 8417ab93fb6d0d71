"""What stands where CloudFormation waits for answers, over a loopback socket."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """What it says."""
        read: dict[str, Any] = json.loads(self.body)
        return read


@dataclass
class Behaviour:
    """What the server does with the next requests: a status, or "reset"; then 200."""

    script: list[int | str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


class ResponseServer(HTTPServer):
    """Takes answers by PUT, as the bucket behind a presigned address does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.behaviour = Behaviour()
        self.url = f"http://127.0.0.1:{self.server_port}/bucket/key?X-Amz-Signature=5ec2e7516"

    @property
    def told(self) -> list[Told]:
        """Every answer that came in whole, also those that were refused."""
        return self.behaviour.told


class _Take(BaseHTTPRequestHandler):
    server: ResponseServer

    def do_PUT(self) -> None:
        behaviour = self.server.behaviour
        then = behaviour.script.pop(0) if behaviour.script else 200
        body = self.rfile.read(int(self.headers["Content-Length"]))
        behaviour.told.append(Told(self.path, dict(self.headers), body))
        if then == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            return
        self.send_response(int(then))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass
