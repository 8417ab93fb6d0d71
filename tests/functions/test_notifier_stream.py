"""The notifier on the table's real stream: whatever comes, one notification for each change."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from claims.claim import new_claim
from claims.storage import Claims
from notifier.handler import Services, handle
from notifier.storage import Notifications
from notifier.undelivered import Undelivered

from tests.functions.conftest import client_at
from tests.functions.members_service import members_service, session_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from insurance.table import Table

    from tests.functions.members_service import MembersService

FIELDS: dict[str, Any] = {
    "policyId": "POL-2025-001",
    "memberName": "Ada Lovelace",
    "claimType": "dental",
    "amount": 12050,
    "currency": "EUR",
    "occurredOn": "2025-03-12",
}
CLAIM_IDS = [f"00000000-0000-4000-8000-{number:012}" for number in range(4)]


@pytest.fixture
def service() -> Iterator[MembersService]:
    """A members service while the test runs."""
    with members_service() as service:
        yield service


@pytest.fixture
def services(
    service: MembersService, notifications: Table, new_table: Callable[[str], Table]
) -> Iterator[Services]:
    """What the notifier works with."""
    with session_with(service) as api:
        aside = Undelivered(new_table("UndeliveredTable"))
        yield Services(api, Notifications(notifications), aside, patience=math.inf)


@pytest.fixture
def records(table: Table, account_port: int) -> list[dict[str, Any]]:
    """What the stream says after four claims were made, changed and, two of them, deleted."""
    claims, at = Claims(table), "2025-03-14T09:26:53.000000Z"
    for number, claim_id in enumerate(CLAIM_IDS):
        claim = new_claim(FIELDS, member_id="m-1001", claim_id=claim_id, created_at=at)
        claims.add(claim, "fingerprint")
        claims.change(FIELDS, member_id="m-1001", claim_id=claim_id, version=1, updated_at=at)
        if number % 2:
            claims.remove("m-1001", claim_id, deleted_at=at, expires_at=1)
    streams = client_at(account_port, "dynamodbstreams")
    ((stream),) = streams.list_streams(TableName=table.name)["Streams"]
    described = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]
    assert described["StreamViewType"] == "NEW_IMAGE"
    read = []
    for shard in described["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=stream["StreamArn"],
            ShardId=shard["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        read += streams.get_records(ShardIterator=iterator)["Records"]
    # As the template's filter does it, and as Lambda writes times.
    chosen = [one for one in read if one["dynamodb"]["Keys"]["SK"]["S"].startswith("CLAIM#")]
    for record in chosen:
        created = record["dynamodb"]["ApproximateCreationDateTime"]
        record["dynamodb"]["ApproximateCreationDateTime"] = created.timestamp()
    assert len(chosen) == 10
    return chosen


@pytest.fixture
def notifications(new_table: Callable[[str], Table]) -> Table:
    """The table of notifications, empty."""
    return new_table("NotificationsTable")


def told(notifications: Table) -> list[tuple[str, str]]:
    """Which changes there are notifications of: claim and kind."""
    found = notifications.client.scan(TableName=notifications.name)["Items"]
    return sorted((item["claimId"]["S"], item["kind"]["S"]) for item in found)


EXPECTED = sorted(
    (claim_id, kind)
    for number, claim_id in enumerate(CLAIM_IDS)
    for kind in ("created", "updated", *(["deleted"] if number % 2 else []))
)


def test_each_change_is_told_once(records: Any, services: Services, notifications: Table) -> None:
    """As the stream has them, in one batch."""
    assert handle({"Records": records}, services) == {"batchItemFailures": []}
    assert told(notifications) == EXPECTED


@pytest.mark.parametrize("seed", range(10))
def test_however_the_stream_comes_each_change_is_told_once(
    records: Any, services: Services, notifications: Table, seed: int
) -> None:
    """Doubled, in any order and cut into any batches."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    deliveries = records * 2 + chance.choices(records, k=5)
    chance.shuffle(deliveries)
    while deliveries:
        size = chance.randint(1, 6)
        batch, deliveries = deliveries[:size], deliveries[size:]
        answer = handle({"Records": batch}, services)
        assert answer == {"batchItemFailures": []}
    assert told(notifications) == EXPECTED


NOTIFIER = """
import json, sys
from notifier.handler import Services, handle
from notifier.storage import Notifications
from notifier.undelivered import Undelivered
from insurance.table import Table
from signing import Credentials, PrivateApi, Retries
from tests.functions.conftest import client_at

given = json.load(sys.stdin)
credentials = Credentials(access_key_id="AKID", secret_access_key="secret")
session = PrivateApi(url=given["url"], region="us-east-1").session(credentials=credentials)
table = Table(client_at(given["port"]), given["table"])
aside = Undelivered(Table(table.client, "no such table"))
services = Services(session, Notifications(table), aside, patience=3600)
handle({"Records": given["records"]}, services)
"""


def test_a_worker_killed_between_receiving_and_writing_loses_nothing(
    records: Any,
    service: MembersService,
    services: Services,
    notifications: Table,
    account_port: int,
) -> None:
    """Its batch comes again to another worker, as Lambda does with what nobody answered for."""
    given = {
        "url": service.url,
        "port": account_port,
        "table": notifications.name,
        "records": records,
    }
    service.free.clear()
    worker = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{NOTIFIER}"],
        stdin=subprocess.PIPE,
    )
    try:
        assert worker.stdin is not None
        worker.stdin.write(json.dumps(given).encode())
        worker.stdin.close()
        assert service.was_asked.wait(20)
    finally:
        worker.kill()
        worker.wait()
    service.free.set()
    assert told(notifications) == []
    handle({"Records": records}, services)
    assert told(notifications) == EXPECTED
