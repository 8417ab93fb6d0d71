"""Event source mappings: a table's stream drives its functions, as Lambda's pollers would.

Source: AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB" and the parameters of
its event source mappings. The stream is read with the function's own role, so a permission that the
role lacks shows here too.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from backstairs.runtime.event_filter import EventFilter

if TYPE_CHECKING:
    from backstairs.runtime.account import Account
    from backstairs.runtime.pool import Pool

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
_LONGEST_PAUSE = 5.0
_RENEW_AFTER = timedelta(minutes=30)

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventSource:
    """One mapping of a DynamoDB stream to a function.

    `retries` and `maximum_age` (seconds) None are unlimited; `on_failure` is a queue's ARN.
    """

    stream_arn: str
    function_arn: str
    batch_size: int
    starting_position: str
    filters: EventFilter
    bisect: bool
    retries: int | None
    maximum_age: int | None
    partial_failures: bool
    on_failure: str | None

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> EventSource:
        """Read what `ListEventSourceMappings` says. Raises FilterError."""
        retries = described.get("MaximumRetryAttempts", -1)
        age = described.get("MaximumRecordAgeInSeconds", -1)
        destinations = described.get("DestinationConfig", {})
        filters = described.get("FilterCriteria", {}).get("Filters", [])
        return cls(
            stream_arn=described["EventSourceArn"],
            function_arn=":".join(described["FunctionArn"].split(":")[:7]),
            batch_size=described.get("BatchSize", 100),
            starting_position=described.get("StartingPosition", "LATEST"),
            filters=EventFilter([one["Pattern"] for one in filters]),
            bisect=described.get("BisectBatchOnFunctionError", False),
            retries=None if retries < 0 else retries,
            maximum_age=None if age < 0 else age,
            partial_failures="ReportBatchItemFailures"
            in described.get("FunctionResponseTypes", []),
            on_failure=destinations.get("OnFailure", {}).get("Destination"),
        )


class StreamPoller:
    """Delivers one stream to one function, each shard in order."""

    def __init__(self, account: Account, source: EventSource, pool: Pool) -> None:
        self._account = account
        self._source = source
        self._pool = pool
        self._clients: dict[str, Any] = {}
        self._renew_at = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        """Poll until cancelled. What fails is logged, and tried again."""
        shards: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                described = await self._try("dynamodbstreams", "describe_stream")
                for shard in (described or {}).get("StreamDescription", {}).get("Shards", []):
                    shard_id = shard["ShardId"]
                    if shard_id not in shards:
                        shards[shard_id] = tasks.create_task(self._follow(shard_id))
                await asyncio.sleep(_LONGEST_PAUSE if shards else POLL_SECONDS)

    async def _follow(self, shard_id: str) -> None:
        """Deliver one shard to its end."""
        iterator: str | None = None
        position = {"ShardIteratorType": self._source.starting_position}
        while True:
            if iterator is None:
                started = await self._try(
                    "dynamodbstreams", "get_shard_iterator", ShardId=shard_id, **position
                )
                iterator = (started or {}).get("ShardIterator")
            found = iterator and await self._try(
                "dynamodbstreams",
                "get_records",
                ShardIterator=iterator,
                Limit=self._source.batch_size,
            )
            if not found:
                iterator = None  # expired, or not to be had: from the last record on
                await asyncio.sleep(POLL_SECONDS)
                continue
            records = found["Records"]
            if records:
                await self._deliver([self._event(record) for record in records], shard_id)
                position = {
                    "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                    "SequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
                }
            else:
                await asyncio.sleep(POLL_SECONDS)
            iterator = found.get("NextShardIterator")
            if iterator is None:
                return

    def _event(self, record: Record) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(json.dumps(record, default=_jsonable))
        return plain | {"eventSourceARN": self._source.stream_arn}

    async def _deliver(self, records: Sequence[Record], shard_id: str) -> None:
        """Invoke until every record that passes the filter is done with, or given up."""
        left = [record for record in records if self._source.filters.passes(record)]
        attempt = 0
        while left:
            failed = await self._invoke(left)
            if failed is None:
                return
            if failed > 0:
                left, attempt = left[failed:], 0
                continue
            if self._source.bisect and len(left) > 1 and attempt == 0:
                middle = len(left) // 2
                await self._deliver(left[:middle], shard_id)
                await self._deliver(left[middle:], shard_id)
                return
            attempt += 1
            if self._is_over(left, attempt):
                await self._give_up(left, shard_id, attempt)
                return
            await asyncio.sleep(min(_LONGEST_PAUSE, POLL_SECONDS * 2**attempt))

    async def _invoke(self, records: Sequence[Record]) -> int | None:
        """Invoke with a batch; returns the position of the first record to repeat, or None."""
        try:
            result = await self._pool.invoke(json.dumps({"Records": records}).encode())
        except (OSError, BotoCoreError, ClientError) as error:
            _log.warning("%s: cannot be invoked: %s", self._pool.function.label, error)
            return 0
        if result.error is not None:
            return 0
        if not self._source.partial_failures:
            return None
        answer = json.loads(result.payload)
        try:
            failures = [one["itemIdentifier"] for one in (answer or {})["batchItemFailures"] or ()]
            numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
            return min(map(numbers.index, failures), default=None)
        except KeyError:
            return None if answer in (None, {}) else 0
        except (TypeError, ValueError):
            return 0  # not an answer about this batch: all of it failed

    def _is_over(self, records: Sequence[Record], attempt: int) -> bool:
        source = self._source
        if source.retries is not None and attempt > source.retries:
            return True
        created = min(record["dynamodb"]["ApproximateCreationDateTime"] for record in records)
        age = datetime.now(UTC).timestamp() - created
        return source.maximum_age is not None and age > source.maximum_age

    async def _give_up(self, records: Sequence[Record], shard_id: str, attempts: int) -> None:
        """Tell the on-failure queue where the records are; the records themselves are not sent."""
        _log.warning("gave up %d records for %s", len(records), self._pool.function.label)
        destination = self._source.on_failure
        if destination is None:
            return
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        times = [record["dynamodb"]["ApproximateCreationDateTime"] for record in records]
        message = {
            "requestContext": {
                "functionArn": self._source.function_arn,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": attempts,
            },
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(),
            "DDBStreamBatchInfo": {
                "shardId": shard_id,
                "startSequenceNumber": numbers[0],
                "endSequenceNumber": numbers[-1],
                "approximateArrivalOfFirstRecord": datetime.fromtimestamp(
                    min(times), UTC
                ).isoformat(),
                "approximateArrivalOfLastRecord": datetime.fromtimestamp(
                    max(times), UTC
                ).isoformat(),
                "batchSize": len(records),
                "streamArn": self._source.stream_arn,
            },
        }
        name = destination.rpartition(":")[2]
        url = f"{self._account.url}/{self._account.account_id}/{name}"
        await self._try("sqs", "send_message", QueueUrl=url, MessageBody=json.dumps(message))

    async def _try(self, service: str, operation: str, **arguments: object) -> Any:
        """Call the account as the function's role; None where it fails, which is logged."""
        if operation in ("describe_stream", "get_shard_iterator"):
            arguments["StreamArn"] = self._source.stream_arn
        try:
            client = await asyncio.to_thread(self._client, service)
            return await asyncio.to_thread(getattr(client, operation), **arguments)
        except (BotoCoreError, ClientError) as error:
            _log.warning("%s: %s: %s", self._pool.function.label, operation, error)
            return None

    def _client(self, service: str) -> Any:
        now = datetime.now(UTC)
        if now > self._renew_at:
            self._clients, self._renew_at = {}, now + _RENEW_AFTER
        if service not in self._clients:
            role = self._pool.function.role_arn
            self._clients[service] = self._account.client_as(role, service)
        return self._clients[service]


def _jsonable(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} in a record")
