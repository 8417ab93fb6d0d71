"""`backstairs redrive` on the running application: what was set aside, what was given up."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.local.deploy import STACK_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.local.application import Application

CLAIM_IDS = [f"7d2f6c1e-0000-4000-8000-{number:012}" for number in range(3)]


class Tables:
    """The application's tables, as another tool of the account sees them."""

    def __init__(self, application: Application) -> None:
        self._account = application.account
        self._ids = self._account.physical_ids(STACK_NAME)
        self._dynamodb = self._account.client("dynamodb")

    def put(self, member_id: str, sort_key: str, **attributes: str) -> None:
        """Write an item of the claims table."""
        item = {"PK": f"MEMBER#{member_id}", "SK": sort_key, **attributes}
        self._dynamodb.put_item(
            TableName=self._ids["ClaimsTable"],
            Item={name: {"S": value} for name, value in item.items()},
        )

    def told(self, member_id: str) -> list[str]:
        """The ids of the claims whose changes a member was told of."""
        found = self._dynamodb.scan(TableName=self._ids["NotificationsTable"])["Items"]
        return sorted(item["claimId"]["S"] for item in found if item["memberId"]["S"] == member_id)

    def forget(self, member_id: str) -> None:
        """Delete a member's notifications."""
        for item in self._dynamodb.scan(TableName=self._ids["NotificationsTable"])["Items"]:
            if item["memberId"]["S"] == member_id:
                key = {name: item[name] for name in ("memberId", "changeId")}
                self._dynamodb.delete_item(TableName=self._ids["NotificationsTable"], Key=key)

    def aside(self) -> int:
        """How many changes are set aside."""
        return len(self._dynamodb.scan(TableName=self._ids["UndeliveredTable"])["Items"])

    def give_up(self, member_id: str) -> None:
        """Write the message that Lambda would have written of a member's changes."""
        streams = self._account.client("dynamodbstreams")
        table = self._ids["ClaimsTable"]
        arn = streams.list_streams(TableName=table)["Streams"][0]["StreamArn"]
        described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
        for shard in described["Shards"]:
            iterator = streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            numbers = [
                record["dynamodb"]["SequenceNumber"]
                for record in streams.get_records(ShardIterator=iterator)["Records"]
                if record["dynamodb"]["Keys"]["PK"]["S"] == f"MEMBER#{member_id}"
            ]
            if numbers:
                batch = {
                    "streamArn": arn,
                    "shardId": shard["ShardId"],
                    "startSequenceNumber": numbers[0],
                    "endSequenceNumber": numbers[-1],
                }
                self.send({"DDBStreamBatchInfo": batch})

    def send(self, message: Any) -> None:
        """Put a message into the on-failure queue."""
        self._account.client("sqs").send_message(
            QueueUrl=self._ids["UndeliveredQueue"], MessageBody=json.dumps(message)
        )

    def purge(self) -> None:
        """Empty the on-failure queue, and the table of what is set aside."""
        table = self._ids["UndeliveredTable"]
        for item in self._dynamodb.scan(TableName=table)["Items"]:
            key = {name: item[name] for name in ("queue", "position")}
            self._dynamodb.delete_item(TableName=table, Key=key)
        self._account.client("sqs").purge_queue(QueueUrl=self._ids["UndeliveredQueue"])


@pytest.fixture
def tables(application: Application) -> Iterator[Tables]:
    """The tables, nothing set aside, and the queue; empty again afterwards."""
    tables = Tables(application)
    tables.purge()
    yield tables
    tables.purge()


def until(condition: Callable[[], bool]) -> None:
    """Wait for what the stream brings about."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_what_was_set_aside_is_told_once_the_member_is_known(
    application: Application, tables: Tables
) -> None:
    """Until then the command says how many wait and for what; after it there is nothing to do."""
    for claim_id in CLAIM_IDS:
        tables.put("m-7001", f"CLAIM#{claim_id}", createdAt="2025-03-14T09:26:53.000000Z")
    until(lambda: tables.aside() == 3)

    waiting = application.command("redrive")
    assert waiting.returncode == 1
    assert "told 0 that were set aside, 0 that Lambda had given up" in waiting.stdout
    assert "still set aside: 3, UnknownMemberError" in waiting.stderr
    assert tables.told("m-7001") == []

    tables.put("m-7001", "PROFILE", name="Mary Somerville", email="mary@example.com")
    done = application.command("redrive")
    assert (done.returncode, done.stderr) == (0, "")
    assert "told 3 that were set aside" in done.stdout
    assert tables.told("m-7001") == CLAIM_IDS
    again = application.command("redrive")
    assert (again.returncode, tables.told("m-7001")) == (0, CLAIM_IDS)
    assert "told 0 that were set aside" in again.stdout


def test_what_lambda_gave_up_is_read_from_the_stream_and_told(
    application: Application, tables: Tables
) -> None:
    """The message goes when it is done with; one that cannot be is named and stays."""
    tables.put("m-7002", "PROFILE", name="Emmy Noether", email="emmy@example.com")
    for claim_id in CLAIM_IDS:
        tables.put("m-7002", f"CLAIM#{claim_id}", createdAt="2025-03-14T09:26:53.000000Z")
    until(lambda: tables.told("m-7002") == CLAIM_IDS)
    tables.forget("m-7002")
    tables.give_up("m-7002")

    done = application.command("redrive")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 that Lambda had given up" in done.stdout
    assert tables.told("m-7002") == CLAIM_IDS
    assert "0 that Lambda had given up" in application.command("redrive").stdout

    tables.send({"hello": "there"})
    for _ in range(2):
        left = application.command("redrive")
        assert left.returncode == 1
        assert "still in the queue: 1, not a message of an on-failure" in left.stderr
