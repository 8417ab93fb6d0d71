"""A backend on a loopback socket that keeps what it was sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it came in."""

    target: str
    headers: dict[str, str]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, in whatever case it came."""
        lower = {given.lower(): value for given, value in self.headers.items()}
        return lower.get(name.lower())

    @property
    def digest(self) -> str:
        """SHA-256 of the body."""
        return hashlib.sha256(self.body).hexdigest()


class Backend(ThreadingHTTPServer):
    """Answers every POST with `status`, once `open` is set."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.url = f"http://127.0.0.1:{self.server_port}/hooks"
        self.status, self.body = 202, b'{"accepted":true}'
        self.sent: list[Sent] = []
        self.open = Event()
        self.open.set()
        self.arrived = Event()
        self.lock = Lock()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are written one after the other
    server: Backend

    def do_POST(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with server.lock:
            server.sent.append(Sent(self.path, dict(self.headers), body))
        server.arrived.set()
        server.open.wait(30)
        answer = b"" if server.status == 204 else server.body
        self.send_response(server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", "a=1")
        if server.status != 204:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: object) -> None:
        pass
