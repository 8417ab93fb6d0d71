"""The notifier against a members service on a loopback socket, through the signing layer."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any

import pytest
from notifier.handler import InvalidEventError, Services, handle, logger
from notifier.storage import Notifications
from notifier.undelivered import Undelivered

from tests.functions.members_service import members_service, session_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from insurance.table import Table

    from tests.functions.members_service import MembersService


@pytest.fixture
def service() -> Iterator[MembersService]:
    """A members service while the test runs."""
    with members_service() as service:
        yield service


@pytest.fixture
def notifications(new_table: Callable[[str], Table]) -> Table:
    """The table of notifications, empty."""
    return new_table("NotificationsTable")


@pytest.fixture
def undelivered(new_table: Callable[[str], Table]) -> Table:
    """The table of what is set aside, empty."""
    return new_table("UndeliveredTable")


@pytest.fixture
def stored(notifications: Table) -> Callable[[], list[dict[str, str]]]:
    """Read the notifications that are stored."""

    def read() -> list[dict[str, str]]:
        found = notifications.client.scan(TableName=notifications.name)["Items"]
        texts = [{name: value.get("S", "") for name, value in item.items()} for item in found]
        return sorted(texts, key=lambda item: item["changeId"])

    return read


@pytest.fixture
def aside(undelivered: Table) -> Callable[[], dict[str, str]]:
    """Read what is set aside: the reason by change id."""

    def read() -> dict[str, str]:
        found = undelivered.client.scan(TableName=undelivered.name)["Items"]
        return {item["position"]["S"].split("/")[2]: item["reason"]["S"] for item in found}

    return read


@pytest.fixture
def services(
    service: MembersService, notifications: Table, undelivered: Table
) -> Iterator[Services]:
    """What the notifier works with; its patience has no end."""
    with session_with(service, logger.get_correlation_id) as api:
        yield Services(api, Notifications(notifications), Undelivered(undelivered), math.inf)


@pytest.fixture
def notify(services: Services) -> Callable[[object], dict[str, Any]]:
    """Hand an event to the notifier."""
    return lambda event: handle(event, services)


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
    service.members["m-1001"] = {"name": "Ada", "email": "ada@elsewhere.example"}
    assert notify(batch) == DONE
    assert stored() == first


def test_a_member_whom_nobody_knows_holds_up_nobody(
    notify: Any, stored: Any, aside: Any, event: Callable[[str], Any]
) -> None:
    """At once, without a repetition: the change is set aside, and all others are told."""
    batch = event("notifier/unknown-member")
    assert notify(batch) == DONE
    assert len(stored()) == 2
    assert aside() == {batch["Records"][1]["eventID"]: "UnknownMemberError"}


@pytest.mark.parametrize("email", [None, 7, ["ada@example.com"]])
def test_a_member_without_an_address_is_set_aside(
    service: MembersService, notify: Any, aside: Any, event: Callable[[str], Any], email: object
) -> None:
    """Asking again would not find one."""
    service.members["m-1001"] = {"memberId": "m-1001", "name": "Ada Lovelace", "email": email}
    assert notify(event("notifier/claim-created")) == DONE
    assert list(aside().values()) == ["UnreachableMemberError"]


def test_a_member_without_a_name_is_told(
    service: MembersService, notify: Any, stored: Any, event: Callable[[str], Any]
) -> None:
    """The address is enough."""
    service.members["m-1001"] = {"memberId": "m-1001", "name": None, "email": "a@example.com"}
    assert notify(event("notifier/claim-created")) == DONE
    (notification,) = stored()
    assert notification["text"].startswith("Dear member, ")


@pytest.mark.parametrize("answer", [[], {}, "Ada", 1, {"message": "hello"}])
def test_an_answer_that_is_no_member_may_pass(
    service: MembersService, notify: Any, aside: Any, event: Callable[[str], Any], answer: object
) -> None:
    """The service is broken, not the record: Lambda comes again."""
    service.members["m-1001"] = answer
    batch = event("notifier/claim-created")
    assert notify(batch) == failed(batch["Records"][0]["dynamodb"]["SequenceNumber"])
    assert aside() == {}


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


def test_a_change_that_was_tried_for_too_long_is_set_aside(
    service: MembersService,
    services: Services,
    stored: Any,
    aside: Any,
    event: Callable[[str], Any],
) -> None:
    """Before Lambda gives the record up, so that it can still be told."""
    service.down = True
    batch = event("notifier/claim-created")
    assert handle(batch, services._replace(patience=3600)) == DONE
    assert list(aside().values()) == ["HTTPError"]
    assert stored() == []


def test_what_was_set_aside_is_told_once(
    service: MembersService, notify: Any, stored: Any, aside: Any, event: Callable[[str], Any]
) -> None:
    """As what it was, when the member is known; before that it stays set aside."""
    batch = event("notifier/claim-life")
    ada = service.members.pop("m-1001")
    assert notify(batch) == DONE
    assert len(aside()) == 3
    answer = notify({"redrive": {}})
    assert answer == {"told": 0, "kept": {"UnknownMemberError": 3}, "next": None}
    service.members["m-1001"] = ada
    assert notify({"redrive": {}}) == {"told": 3, "kept": {}, "next": None}
    assert aside() == {}
    first = stored()
    assert {item["kind"] for item in first} == {"created", "updated", "deleted"}
    assert notify({"redrive": {}}) == {"told": 0, "kept": {}, "next": None}
    assert notify(batch) == DONE
    assert stored() == first


def test_a_redrive_while_the_service_is_down_loses_nothing(
    service: MembersService, notify: Any, aside: Any, event: Callable[[str], Any]
) -> None:
    """The change stays set aside, and the answer says why."""
    ada = service.members.pop("m-1001")
    assert notify(event("notifier/claim-created")) == DONE
    service.members["m-1001"], service.down = ada, True
    answer = notify({"redrive": {}})
    assert answer == {"told": 0, "kept": {"HTTPError": 1}, "next": None}
    assert len(aside()) == 1


def test_a_redrive_goes_through_all_pages(
    service: MembersService, notify: Any, stored: Any, aside: Any, event: Callable[[str], Any]
) -> None:
    """Also past those that stay set aside."""
    (record,) = event("notifier/claim-created")["Records"]
    member = service.members.pop("m-1001")
    for number in range(25):
        assert notify({"Records": [record | {"eventID": f"change-{number:02}"}]}) == DONE
    stranger = json.loads(json.dumps(record).replace("m-1001", "m-9999"))
    for number in range(15):
        assert notify({"Records": [stranger | {"eventID": f"stranger-{number:02}"}]}) == DONE
    service.members["m-1001"] = member
    told, kept, pages, after = 0, 0, 0, None
    while pages == 0 or after is not None:
        answer = notify({"redrive": {"after": after}})
        told, kept = told + answer["told"], kept + sum(answer["kept"].values())
        after, pages = answer["next"], pages + 1
    assert (told, kept) == (25, 15)
    assert pages >= 4
    assert len(stored()) == 25
    assert len(aside()) == 15


def test_what_was_set_aside_is_told_in_the_order_in_which_it_happened(
    service: MembersService, notify: Any, event: Callable[[str], Any]
) -> None:
    """Whatever order it was set aside in: a member hears of the creation before the deletion."""
    member = service.members.pop("m-1001")
    records = event("notifier/claim-life")["Records"]
    for record in (records[2], records[0], records[1]):
        assert notify({"Records": [record]}) == DONE
    service.members["m-1001"] = member
    service.asked.clear()
    assert notify({"redrive": {}})["told"] == 3
    asked_for = [headers["X-Correlation-Id"] for _, headers in service.asked]
    assert asked_for == [record["eventID"] for record in records]


def test_what_is_set_aside_holds_no_data_of_the_claim(
    service: MembersService, notify: Any, undelivered: Table, event: Callable[[str], Any]
) -> None:
    """Keys, the kind of change, times and a reason; and it expires within two weeks."""
    service.members.clear()
    assert notify(event("notifier/claim-life")) == DONE
    for item in undelivered.client.scan(TableName=undelivered.name)["Items"]:
        assert item.keys() == {"queue", "position", "record", "reason", "setAsideAt", "expiresAt"}
        seconds = int(item["expiresAt"]["N"]) - int(item["setAsideAt"]["N"])
        assert seconds == 14 * 24 * 3600
        text = json.dumps(item)
        for word in ("Ada", "POL-2025", "12050", "filling", "2025-03-12", "fingerprint"):
            assert word not in text


def test_what_somebody_else_put_aside_stays(notify: Any, undelivered: Table, aside: Any) -> None:
    """An item without a record is counted, and neither told nor removed."""
    key = {"queue": {"S": "undelivered"}, "position": {"S": "0/0/by-hand"}}
    item = key | {"reason": {"S": "?"}}
    undelivered.client.put_item(TableName=undelivered.name, Item=item)
    answer = notify({"redrive": {}})
    assert answer == {"told": 0, "kept": {"InvalidRecordError": 1}, "next": None}
    assert aside() == {"by-hand": "?"}


def test_a_notification_expires(
    notify: Any, notifications: Table, event: Callable[[str], Any]
) -> None:
    """It holds a name and an address: 30 days, longer than a change may come again."""
    assert notify(event("notifier/claim-created")) == DONE
    (item,) = notifications.client.scan(TableName=notifications.name)["Items"]
    assert 29.9 < (int(item["expiresAt"]["N"]) - time.time()) / (24 * 3600) <= 30


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
        (["dynamodb", "ApproximateCreationDateTime"], 1e12),
        (["dynamodb", "ApproximateCreationDateTime"], float("nan")),
        (["eventID"], ""),
        (["eventID"], None),
        (["eventName"], "REMOVE"),
    ],
)
def test_a_poisonous_record_is_set_aside_and_nothing_is_asked(
    service: MembersService,
    notify: Any,
    aside: Any,
    event: Callable[[str], Any],
    *,
    path: list[str],
    value: object,
) -> None:
    """Whatever is wrong with it, the batch does not crash and the record is not lost."""
    batch = event("notifier/claim-created")
    part = batch["Records"][0]
    number = part["dynamodb"]["SequenceNumber"]
    change_id = part["eventID"] if path != ["eventID"] else number
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    assert notify(batch) == DONE
    assert aside() == {change_id: "InvalidRecordError"}
    assert not service.asked
    if path != ["eventID"]:
        answer = notify({"redrive": {}})
        assert answer == {"told": 0, "kept": {"InvalidRecordError": 1}, "next": None}
        assert len(aside()) == 1


@pytest.mark.parametrize(
    "event",
    [None, {}, {"Records": None}, {"memberId": "m-1001"}, [1], {"redrive": None}, {"redrive": 1}],
)
def test_what_is_no_batch_is_refused(notify: Any, event: object) -> None:
    """By its name; nothing else is made of it."""
    with pytest.raises(InvalidEventError):
        notify(event)


@pytest.mark.parametrize("record", [None, 1, "x", [], {}])
def test_what_is_no_record_fails_the_batch(notify: Any, record: object) -> None:
    """Without a sequence number Lambda comes again with all of it."""
    assert notify({"Records": [record]}) == failed("")
