"""What Lambda gave up: the records that messages of an on-failure destination point to.

Source: AWS Lambda Developer Guide, "Retain discarded records for a DynamoDB event source in Lambda"
(the message), Amazon DynamoDB Developer Guide, "DynamoDB Streams" (records are kept for 24 hours).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from backstairs.runtime.streams import event_of

if TYPE_CHECKING:
    from backstairs.runtime.event_filter import EventFilter

_GONE = {"TrimmedDataAccessException", "ResourceNotFoundException", "ValidationException"}
# A stream may answer with nothing and more to come.
_MOST_PAGES = 1000


class GoneError(Exception):
    """The stream no longer has the records."""


def discarded_records(streams: Any, message: str, filters: EventFilter) -> list[dict[str, Any]]:
    """The records that a message points to, as the function was to be given them.

    `streams` is boto3's client for DynamoDB Streams. Raises GoneError, and ValueError for what is
    no such message.
    """
    try:
        batch = json.loads(message)["DDBStreamBatchInfo"]
        arn, shard = batch["streamArn"], batch["shardId"]
        first, last = batch["startSequenceNumber"], batch["endSequenceNumber"]
    except (KeyError, TypeError) as error:
        raise ValueError("not a message of an on-failure destination") from error
    found: list[dict[str, Any]] = []
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=arn,
            ShardId=shard,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=first,
        )["ShardIterator"]
        for _ in range(_MOST_PAGES):
            answer = streams.get_records(ShardIterator=iterator)
            found += answer["Records"]
            iterator = answer.get("NextShardIterator")
            numbers = [record["dynamodb"]["SequenceNumber"] for record in found]
            if last in numbers:
                events = [event_of(one, arn) for one in found[: numbers.index(last) + 1]]
                return [event for event in events if filters.passes(event)]
            if iterator is None:
                break
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
    raise GoneError(f"shard {shard} no longer has the records {first} to {last}")
