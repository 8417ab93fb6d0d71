"""The notifier against a members service on a loopback socket, through the signing layer."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from notifier.handler import InvalidEventError, UnknownMemberError, handle
from requests import HTTPError
from signing import Credentials, PrivateApi, Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests import Session

ADA = {"memberId": "m-1001", "name": "Ada Lovelace", "email": "ada@example.com"}


class MembersService(HTTPServer):
    """Answers as the members route does, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[tuple[str, dict[str, str]]] = []


class _Answer(BaseHTTPRequestHandler):
    server: MembersService

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        status, body = {
            "/dev/members/m-1001": (200, ADA),
            "/dev/members/m-500": (500, {"message": "Internal server error"}),
        }.get(self.path, (404, {"statusCode": 404, "message": "There is no such member"}))
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[MembersService]:
    """A members service while the test runs."""
    with MembersService() as service:
        thread = Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield service
        service.shutdown()
        thread.join()


@pytest.fixture
def api(service: MembersService) -> Iterator[Session]:
    """The session with which the notifier calls it."""
    api = PrivateApi(
        url=f"http://127.0.0.1:{service.server_port}/dev", region="us-east-1", api_id="a1b2c3d4e5"
    )
    credentials = Credentials(access_key_id="AKID", secret_access_key="secret")
    with api.session(credentials=credentials, retries=Retries(attempts=1)) as session:
        yield session


def test_the_member_is_asked_for_and_told(
    service: MembersService, api: Session, event: Callable[[str], Any]
) -> None:
    """One signed call to the members route, addressed to the API by its id."""
    notification = handle(event("notifier/member"), api)
    assert notification["to"] == "ada@example.com"
    assert "Ada Lovelace" in notification["text"]
    ((path, headers),) = service.asked
    assert path == "/dev/members/m-1001"
    assert headers["x-apigw-api-id"] == "a1b2c3d4e5"
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")


@pytest.mark.parametrize("member_id", [None, "", ".", "..", 1, [], {"S": "m-1001"}])
def test_an_event_without_a_member_is_refused(
    service: MembersService, api: Session, member_id: object
) -> None:
    """Nothing is asked for what cannot be an id."""
    for event in ({"memberId": member_id}, member_id):
        with pytest.raises(InvalidEventError):
            handle(event, api)
    assert not service.asked


@pytest.mark.parametrize("member_id", ["m-9999", "../claims/m-1001", "m/1?x=#", "é"])
def test_nobody_is_notified_where_nobody_is_known(
    service: MembersService, api: Session, member_id: str
) -> None:
    """Whatever the id, it stays one segment of the members route."""
    with pytest.raises(UnknownMemberError):
        handle({"memberId": member_id}, api)
    ((path, _),) = service.asked
    assert path.startswith("/dev/members/")
    assert path.count("/") == 3
    assert "?" not in path


def test_a_failing_service_is_a_failure(api: Session) -> None:
    """The caller of the notifier sees it, and may try again."""
    with pytest.raises(HTTPError):
        handle({"memberId": "m-500"}, api)
