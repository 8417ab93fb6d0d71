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
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from backstairs.runtime.batches import Batch, Failure, Policy, Record, after, expired, is_exhausted
from backstairs.runtime.event_filter import EventFilter
from backstairs.runtime.pool import unqualified

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backstairs.runtime.account import Account
    from backstairs.runtime.pool import Pool

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
_LOOK_FOR_SHARDS_SECONDS = 5.0
_RENEW_AFTER = timedelta(minutes=30)


class Clock(Protocol):
    """What time it is, and a way to wait."""

    def now(self) -> datetime:
        """The time, with its zone."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class WallClock:
    """The machine's."""

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait as long."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class EventSource:
    """One mapping of a DynamoDB stream to a function; `on_failure` is a queue's ARN."""

    stream_arn: str
    function_arn: str
    batch_size: int
    starting_position: str
    filters: EventFilter
    policy: Policy
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
            function_arn=unqualified(described["FunctionArn"]),
            batch_size=described.get("BatchSize", 100),
            starting_position=described.get("StartingPosition", "LATEST"),
            filters=EventFilter([one["Pattern"] for one in filters]),
            policy=Policy(
                retries=None if retries < 0 else retries,
                maximum_age=None if age < 0 else age,
                bisect=described.get("BisectBatchOnFunctionError", False),
            ),
            partial_failures="ReportBatchItemFailures"
            in described.get("FunctionResponseTypes", []),
            on_failure=destinations.get("OnFailure", {}).get("Destination"),
        )


class StreamPoller:
    """Delivers one stream to one function, each shard in order."""

    def __init__(
        self, account: Account, source: EventSource, pool: Pool, clock: Clock | None = None
    ) -> None:
        self._account = account
        self._source = source
        self._pool = pool
        self._clock = clock or WallClock()
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
                await self._clock.sleep(_LOOK_FOR_SHARDS_SECONDS if shards else POLL_SECONDS)

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
                await self._clock.sleep(POLL_SECONDS)
                continue
            records = found["Records"]
            if records:
                events = [event_of(record, self._source.stream_arn) for record in records]
                await self._deliver(events, shard_id)
                position = {
                    "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                    "SequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
                }
            else:
                await self._clock.sleep(POLL_SECONDS)
            iterator = found.get("NextShardIterator")
            if iterator is None:
                return

    async def _deliver(self, records: Sequence[Record], shard_id: str) -> None:
        """Invoke until every record that passes the filter is done with, or given up."""
        policy = self._source.policy
        waiting = [Batch([one for one in records if self._source.filters.passes(one)])]
        while waiting:
            batch = waiting.pop(0)
            await self._clock.sleep(batch.pause)
            old = expired(batch, policy, self._clock.now().timestamp())
            if old:
                await self._give_up(batch, batch.records[:old], shard_id, "RecordAgeExceeded")
                batch = replace(batch, records=batch.records[old:])
            if not batch.records:
                continue
            if is_exhausted(batch, policy):
                await self._give_up(batch, batch.records, shard_id, "RetryAttemptsExhausted")
            else:
                failure = await self._invoke(batch.records)
                if failure is not None:
                    waiting[:0] = after(failure, batch, policy)

    async def _invoke(self, records: Sequence[Record]) -> Failure | None:
        """Invoke with a batch; None where all of it is done."""
        try:
            result = await self._pool.invoke(json.dumps({"Records": records}).encode())
        except (OSError, BotoCoreError, ClientError) as error:
            _log.warning("%s: cannot be invoked: %s", self._pool.function.label, error)
            return Failure(invoked=False)
        if result.error is not None:
            return Failure(whole=True)
        if not self._source.partial_failures:
            return None
        return _failure(json.loads(result.payload), records)

    async def _give_up(
        self, batch: Batch, records: Sequence[Record], shard_id: str, condition: str
    ) -> None:
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
                "condition": condition,
                "approximateInvokeCount": batch.attempts,
            },
            "version": "1.0",
            "timestamp": self._clock.now().isoformat(),
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


def event_of(record: Record, stream_arn: str) -> dict[str, Any]:
    """A record of `GetRecords` as Lambda hands it to a function."""
    plain: dict[str, Any] = json.loads(json.dumps(record, default=_jsonable))
    return plain | {"eventSourceARN": stream_arn}


def _failure(answer: Any, records: Sequence[Record]) -> Failure | None:
    """Which record a function's answer says to come again from."""
    try:
        failures = [one["itemIdentifier"] for one in (answer or {})["batchItemFailures"] or ()]
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        first = min(map(numbers.index, failures), default=None)
    except KeyError:
        return None if answer in (None, {}) else Failure(whole=True)
    except (TypeError, ValueError):
        return Failure(whole=True)  # not an answer about this batch
    return None if first is None else Failure(first)


def _jsonable(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} in a record")
