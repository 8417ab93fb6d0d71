"""The notifier against a members service on a loopback socket, through the signing layer."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from notifier.handler import InvalidEventError, handle, logger
from notifier.storage import Notifications
from signing import Credentials, PrivateApi, Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests import Session
    from service.table import Table

ADA = {"memberId": "m-1001", "name": "Ada Lovelace", "email": "ada@example.com"}


class MembersService(HTTPServer):
    """Answers as the members route does, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.down = False
        self.ada = dict(ADA)


class _Answer(BaseHTTPRequestHandler):
    server: MembersService

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        body: dict[str, object]
        status, body = 404, {"statusCode": 404, "message": "There is no such member"}
        if self.server.down:
            status, body = 502, {"message": "Internal server error"}
        elif self.path == "/dev/members/m-1001":
            status, body = 200, {**self.server.ada}
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
    with api.session(
        credentials=credentials,
        retries=Retries(attempts=1),
        correlation_id=logger.get_correlation_id,
    ) as session:
        yield session


@pytest.fixture
def notifications(new_table: Callable[[str], Table]) -> Table:
    """The table of notifications, empty."""
    return new_table("NotificationsTable")


@pytest.fixture
def stored(notifications: Table) -> Callable[[], list[dict[str, str]]]:
    """Read the notifications that are stored."""

    def read() -> list[dict[str, str]]:
        found = notifications.client.scan(TableName=notifications.name)["Items"]
        texts = [{name: value["S"] for name, value in item.items()} for item in found]
        return sorted(texts, key=lambda item: item["changeId"])

    return read


@pytest.fixture
def notify(api: Session, notifications: Table) -> Callable[[object], dict[str, Any]]:
    """Hand a batch to the notifier."""
    return lambda event: handle(event, api, Notifications(notifications))


def failed(number: str) -> dict[str, Any]:
    """The answer after which Lambda comes again from a record."""
    return {"batchItemFailures": [{"itemIdentifier": number}]}


DONE: dict[str, Any] = {"batchItemFailures": []}


def test_the_member_is_asked_for_and_told(
    service: MembersService, notify: Any, stored: Any, event: Callable[[str], Any]
) -> None:
    """One signed call to the members route, addressed to the API by its id; one notification."""
    assert notify(event("notifier/claim-created")) == DONE
    (notification,) = stored()
    assert notification["to"] == "ada@example.com"
    assert notification["memberId"] == "m-1001"
    assert "Ada Lovelace" in notification["text"]
    assert notification["claimId"] in notification["text"]
    ((path, headers),) = service.asked
    assert path == "/dev/members/m-1001"
    assert headers["x-apigw-api-id"] == "a1b2c3d4e5"
    assert headers["X-Correlation-Id"] == notification["changeId"]
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")


def test_each_change_is_told_for_what_it_is(
    notify: Any, stored: Any, event: Callable[[str], Any]
) -> None:
    """Created, updated and deleted are three notifications."""
    assert notify(event("notifier/claim-life")) == DONE
    assert {item["kind"] for item in stored()} == {"created", "updated", "deleted"}
    assert len({item["text"] for item in stored()}) == 3


def test_a_change_that_comes_again_is_told_once(
    notify: Any, stored: Any, event: Callable[[str], Any]
) -> None:
    """In the same batch, in another one, and in another order."""
    records = event("notifier/claim-life")["Records"]
    assert notify({"Records": records[:1] * 3}) == DONE
    first = stored()
    assert len(first) == 1
    assert notify({"Records": records[::-1]}) == notify({"Records": records}) == DONE
    assert len(stored()) == 3
    assert first[0] in stored()


def test_what_was_told_stays_as_it_was_told(
    service: MembersService, notify: Any, stored: Any, event: Callable[[str], Any]
) -> None:
    """A record that comes again later, of a member who has moved since, rewrites nothing."""
    batch = event("notifier/claim-created")
    assert notify(batch) == DONE
    first = stored()
    service.ada["email"] = "ada@elsewhere.example"
    assert notify(batch) == DONE
    assert stored() == first


def test_what_cannot_be_dealt_with_holds_up_what_follows(
    notify: Any, stored: Any, event: Callable[[str], Any]
) -> None:
    """What came before it is done; Lambda comes again from its sequence number."""
    batch = event("notifier/unknown-member")
    number = batch["Records"][1]["dynamodb"]["SequenceNumber"]
    assert notify(batch) == failed(number)
    assert [item["kind"] for item in stored()] == ["created"]
    # As Lambda does when it gives up: it goes on behind the record.
    assert notify({"Records": batch["Records"][2:]}) == DONE
    assert len(stored()) == 2


def test_a_failing_service_is_no_notification(
    service: MembersService, notify: Any, stored: Any, event: Callable[[str], Any]
) -> None:
    """The record comes again, and is told of once the service is back."""
    batch = event("notifier/claim-created")
    service.down = True
    assert notify(batch) == failed(batch["Records"][0]["dynamodb"]["SequenceNumber"])
    assert stored() == []
    service.down = False
    assert notify(batch) == DONE
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["dynamodb"], None),
        (["dynamodb", "Keys"], {}),
        (["dynamodb", "Keys", "PK", "S"], "POLICY#m-1001"),
        (["dynamodb", "Keys", "PK", "S"], "MEMBER#../claims/m-1001"),
        (["dynamodb", "Keys", "PK", "S"], "MEMBER#"),
        (["dynamodb", "Keys", "PK", "S"], "MEMBER#m/1?x=#"),
        (["dynamodb", "Keys", "PK", "S"], 1),
        (["dynamodb", "Keys", "SK", "S"], "PROFILE"),
        (["dynamodb", "NewImage"], None),
        (["dynamodb", "ApproximateCreationDateTime"], "yesterday"),
        (["dynamodb", "ApproximateCreationDateTime"], 1e300),
        (["eventID"], ""),
        (["eventID"], None),
        (["eventName"], "REMOVE"),
    ],
)
def test_a_poisonous_record_is_reported_and_nothing_is_asked(
    service: MembersService,
    notify: Any,
    event: Callable[[str], Any],
    path: list[str],
    value: object,
) -> None:
    """Whatever is wrong with it, the batch neither crashes nor passes for done."""
    batch = event("notifier/claim-created")
    part = batch["Records"][0]
    number = part["dynamodb"]["SequenceNumber"] if path != ["dynamodb"] else ""
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    assert notify(batch) == failed(number)
    assert not service.asked


@pytest.mark.parametrize("event", [None, {}, {"Records": None}, {"memberId": "m-1001"}, [1]])
def test_what_is_no_batch_is_refused(notify: Any, event: object) -> None:
    """By its name; nothing else is made of it."""
    with pytest.raises(InvalidEventError):
        notify(event)


@pytest.mark.parametrize("record", [None, 1, "x", [], {}])
def test_what_is_no_record_fails_the_batch(notify: Any, record: object) -> None:
    """Without a sequence number Lambda comes again with all of it."""
    assert notify({"Records": [record]}) == failed("")
