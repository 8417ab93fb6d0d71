"""The members route on a loopback socket, as the notifier meets it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING

from signing import Credentials, PrivateApi, Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests import Session


class MembersService(ThreadingHTTPServer):
    """Answers from `members`, and keeps the path and headers of what it was asked.

    `down` answers 502 as API Gateway does; while `free` is not set, nothing is answered.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.members: dict[str, object] = {
            "m-1001": {"memberId": "m-1001", "name": "Ada Lovelace", "email": "ada@example.com"}
        }
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.down = False
        self.was_asked, self.free = Event(), Event()
        self.free.set()

    @property
    def url(self) -> str:
        """The URL of its stage."""
        return f"http://127.0.0.1:{self.server_port}/dev"


class _Answer(BaseHTTPRequestHandler):
    server: MembersService

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.server.was_asked.set()
        self.server.free.wait(10)
        member = self.server.members.get(self.path.removeprefix("/dev/members/"))
        status, body = 200, member
        if self.server.down:
            status, body = 502, {"message": "Internal server error"}
        elif member is None:
            status, body = 404, {"statusCode": 404, "message": "There is no such member"}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def members_service() -> Iterator[MembersService]:
    """A members service while the context lasts."""
    with MembersService() as service:
        thread = Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield service
        service.shutdown()
        thread.join()


@contextmanager
def session_with(
    service: MembersService, correlation_id: Callable[[], str | None] = lambda: None
) -> Iterator[Session]:
    """The session with which the notifier calls it, once for each call."""
    api = PrivateApi(url=service.url, region="us-east-1", api_id="a1b2c3d4e5")
    credentials = Credentials(access_key_id="AKID", secret_access_key="secret")
    with api.session(
        credentials=credentials, retries=Retries(attempts=1), correlation_id=correlation_id
    ) as session:
        yield session
