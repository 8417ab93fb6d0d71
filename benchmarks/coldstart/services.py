"""What a function meets while it starts: the Runtime API, a DynamoDB and a members service.

All on one loopback port, all answering at once, so that what is measured is the function.
"""

from __future__ import annotations

import json
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_RUNTIME = "/2018-06-01/runtime/"


class Services(ThreadingHTTPServer):
    """Gives out one event; `answered` is set, at time `at`, when the answer is there."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.event = b""
        self.expect(b"")

    def handle_error(self, *_request: object) -> None:
        """Say nothing of the connections of processes that are ended."""

    def expect(self, event: bytes) -> None:
        """Have this event for the next function."""
        self.event, self.given = event, False
        self.answer, self.at = b"", 0.0
        self.answered = threading.Event()


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # As DynamoDB answers: a body does not wait for the headers' acknowledgement.
    disable_nagle_algorithm = True
    server: Services

    def do_GET(self) -> None:
        if self.path == f"{_RUNTIME}invocation/next":
            if self.server.given:
                # As Lambda between two calls: nothing comes.
                threading.Event().wait()
            self.server.given = True
            self._send(
                self.server.event,
                {
                    "Lambda-Runtime-Aws-Request-Id": "8d1c7d9e",
                    "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 60_000),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:1:function:f",
                },
            )
        else:
            member = {"memberId": "m-1001", "name": "Ada", "email": "ada@example.com"}
            self._send(json.dumps(member).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith(_RUNTIME):
            self.server.at = time.perf_counter()
            self.server.answer = body
            self.server.answered.set()
            self._send(b"", status=202)
        else:
            # Every member has a profile; writes succeed.
            is_read = self.headers["X-Amz-Target"].endswith(".GetItem")
            answer = b'{"Item": {"PK": {"S": "MEMBER#m-1001"}}}' if is_read else b"{}"
            self._send(answer, {"x-amz-crc32": str(zlib.crc32(answer))})

    def _send(self, body: bytes, headers: dict[str, str] | None = None, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass
