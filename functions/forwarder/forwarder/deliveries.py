"""Deliveries that were forwarded: each is forwarded once, unless that failed.

What is stored is the status that a delivery was answered with, nothing of what it said. Of an
attempt whose end could not be stored, as when the function was ended, the mark loses its force at
the end of the function's time: sent again, such a delivery is forwarded again.

A mark is an item as Powertools' idempotency stores it, as earlier versions of this function did:
what they have marked stays marked.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from forwarder.answer import Answer

KEPT_SECONDS = 4 * 24 * 60 * 60
"""A day longer than anybody delivers again: GitHub on request and Stripe by itself, for three."""

_REFUSED = "ConditionalCheckFailedException"
_OPEN, _DONE = "INPROGRESS", "COMPLETED"
_IS_FREE = (
    "attribute_not_exists(id) OR expiration < :now"
    " OR (#status = :open AND in_progress_expiration < :now_ms)"
)


class InProgressError(Exception):
    """Another invocation is forwarding the same delivery."""


class UnavailableError(Exception):
    """The table did not answer as it should; nothing was forwarded."""


class Outcome(NamedTuple):
    """How a delivery was answered; `answer` is None where that was before.

    `trouble` says why its end could not be stored.
    """

    status: int
    answer: Answer | None
    trouble: str | None = None


class Deliveries:
    """A provider's deliveries in a table with hash key `id` and time to live `expiration`."""

    def __init__(self, client: Any, table: str, provider: str) -> None:
        self._client, self._table, self._provider = client, table, provider

    def once(self, key: str, seconds: float, forward: Callable[[], Answer]) -> Outcome:
        """Forward a delivery that was not answered 2xx before; `seconds` are the function's.

        Raises InProgressError and UnavailableError.
        """
        digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
        item = {"id": {"S": f"{self._provider}#{digest}"}}
        until_ms = str(round((time.time() + seconds) * 1000))
        earlier = self._begin(item, until_ms)
        if earlier is not None:
            return Outcome(earlier, None)
        answer = forward()
        try:
            self._end(item, until_ms, answer)
        except (ClientError, BotoCoreError) as error:
            # It was forwarded: what came of it is the truth, stored or not.
            return Outcome(answer.status, answer, _kind(error))
        return Outcome(answer.status, answer)

    def _begin(self, item: dict[str, Any], until_ms: str) -> int | None:
        """Mark a delivery as being forwarded; the status it has if that is over."""
        now = time.time()
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_mark(item, _OPEN) | {"in_progress_expiration": {"N": until_ms}},
                ConditionExpression=_IS_FREE,
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":now": {"N": str(int(now))},
                    ":now_ms": {"N": str(round(now * 1000))},
                    ":open": {"S": _OPEN},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            if _kind(error) != _REFUSED:
                raise UnavailableError(_kind(error)) from None
            found = error.response.get("Item", {})
            if found.get("status") == {"S": _OPEN}:
                raise InProgressError from None
            try:
                return int(json.loads(found["data"]["S"])["status"])
            except (KeyError, TypeError, ValueError):
                raise UnavailableError("a mark that cannot be read") from None
        return None

    def _end(self, item: dict[str, Any], until_ms: str, answer: Answer) -> None:
        """Store how it ended, or that nothing has; unless another attempt has begun meanwhile."""
        ours: dict[str, Any] = {
            "TableName": self._table,
            "ConditionExpression": "in_progress_expiration = :ours",
            "ExpressionAttributeValues": {":ours": {"N": until_ms}},
        }
        try:
            if 200 <= answer.status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
                data = {"data": {"S": json.dumps({"status": answer.status})}}
                self._client.put_item(Item=_mark(item, _DONE) | data, **ours)
            else:
                self._client.delete_item(Key=item, **ours)
        except ClientError as error:
            if _kind(error) != _REFUSED:
                raise


def _mark(item: dict[str, Any], status: str) -> dict[str, Any]:
    expiration = {"N": str(int(time.time()) + KEPT_SECONDS)}
    return item | {"status": {"S": status}, "expiration": expiration}


def _kind(error: BaseException) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__
