"""Changes set aside: what no attempt can mend now, kept until somebody redrives it.

Of the record only what telling it later needs: its id, its time and the claim's keys. Whom to tell
and what is asked for again then. A queue in a table: one partition, sorted by time.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from insurance.table import available

from notifier.change import change_id_of, sequence_number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from insurance.table import Table

# As long as the on-failure queue keeps its messages.
_KEPT_SECONDS: Final = 14 * 24 * 3600
_FAR_AWAY: Final = 1e11  # the year 5138, in epoch seconds
_QUEUE: Final = {"S": "undelivered"}


class Undelivered:
    """The changes that are set aside in a table. Every method raises UnavailableError."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, record: Mapping[str, Any], reason: str) -> None:
        """Set a record of the stream aside; it must have an id. The same one again is one item."""
        now = int(time.time())
        item = {
            "queue": _QUEUE,
            "position": {"S": _position(record)},
            "record": {"S": json.dumps(_without_data(record))},
            "reason": {"S": reason},
            "setAsideAt": {"N": str(now)},
            "expiresAt": {"N": str(now + _KEPT_SECONDS)},
        }
        with available():
            self._table.client.put_item(TableName=self._table.name, Item=item)

    def page(self, after: str | None, limit: int) -> tuple[list[tuple[str, Any]], str | None]:
        """The oldest after a position: positions with their records, and the page's end.

        The end is None where no more follow; a record is None where somebody else's item has none.
        """
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "KeyConditionExpression": "queue = :queue",
            "ExpressionAttributeValues": {":queue": _QUEUE},
            "ConsistentRead": True,
            "Limit": limit,
        }
        if after is not None:
            request["ExclusiveStartKey"] = _key(after)
        with available():
            answer = self._table.client.query(**request)
        records = [(item["position"]["S"], _record(item)) for item in answer["Items"]]
        last = answer.get("LastEvaluatedKey")
        return records, last["position"]["S"] if last else None

    def remove(self, position: str) -> None:
        """Take a change out, once it has been told."""
        with available():
            self._table.client.delete_item(TableName=self._table.name, Key=_key(position))


def _key(position: str) -> dict[str, dict[str, str]]:
    return {"queue": _QUEUE, "position": {"S": position}}


def _position(record: Mapping[str, Any]) -> str:
    """A text that sorts as the records came: by time, then in the order of the stream."""
    written = record.get("dynamodb")
    created = written.get("ApproximateCreationDateTime") if isinstance(written, dict) else None
    milliseconds = 0
    if isinstance(created, int | float) and 0 < created < _FAR_AWAY:
        milliseconds = int(created * 1000)
    return f"{milliseconds:014}/{sequence_number_of(record):0>40}/{change_id_of(record)}"


def _without_data(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without the claim's data: what it was about, and whether it was a deletion."""
    written = record.get("dynamodb")
    if isinstance(written, dict):
        image = written.get("NewImage")
        kept = [name for name in ("deletedAt",) if isinstance(image, dict) and name in image]
        written = {
            "ApproximateCreationDateTime": written.get("ApproximateCreationDateTime"),
            "Keys": written.get("Keys"),
            "NewImage": dict.fromkeys(kept) if isinstance(image, dict) else None,
        }
    return {
        "eventID": change_id_of(record),
        "eventName": record.get("eventName"),
        "dynamodb": written,
    }


def _record(item: Mapping[str, Mapping[str, str]]) -> Any:
    try:
        return json.loads(item["record"]["S"])
    except (KeyError, ValueError):
        return None
