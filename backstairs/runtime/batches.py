"""What becomes of a batch of stream records that could not be delivered.

Source: AWS Lambda Developer Guide, "Retain discarded records for a DynamoDB event source in Lambda"
(what counts as an attempt; splitting does not) and "Configuring partial batch response with
DynamoDB and Lambda" (a split where the function says, or in the middle where it fails as a whole).
Unverified: that the count begins again behind a record that was done, that of a batch only the
records past their age are discarded, and how long Lambda waits between two attempts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Record = Mapping[str, Any]

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
_DOUBLINGS = 5


@dataclass(frozen=True, slots=True)
class Policy:
    """How long to try: `retries` and `maximum_age` (seconds) None are unlimited."""

    retries: int | None = None
    maximum_age: float | None = None
    bisect: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to deliver together; of its failures `attempts` count against the retries."""

    records: Sequence[Record]
    failures: int = 0
    attempts: int = 0

    @property
    def pause(self) -> float:
        """Seconds to wait before it is delivered."""
        if not self.failures:
            return 0.0
        return min(_LONGEST_PAUSE, _SHORTEST_PAUSE * 2.0 ** min(self.failures, _DOUBLINGS))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a batch is not done: `first` is the position of the first record to repeat.

    `invoked` is False where the function could not be invoked at all; `whole` where the function
    failed without saying at which record.
    """

    first: int = 0
    whole: bool = False
    invoked: bool = True


def after(failure: Failure, batch: Batch, policy: Policy) -> list[Batch]:
    """What to deliver next, in order."""
    if failure.first > 0:
        return [Batch(batch.records[failure.first :])]
    if failure.whole and policy.bisect and len(batch.records) > 1:
        middle = len(batch.records) // 2
        return [
            replace(batch, records=batch.records[:middle]),
            replace(batch, records=batch.records[middle:]),
        ]
    counted = batch.attempts + failure.invoked
    return [replace(batch, failures=batch.failures + 1, attempts=counted)]


def expired(batch: Batch, policy: Policy, now: float) -> int:
    """How many of the batch's first records are too old, at `now` in epoch seconds."""
    if policy.maximum_age is None:
        return 0
    for position, record in enumerate(batch.records):
        if now - record["dynamodb"]["ApproximateCreationDateTime"] <= policy.maximum_age:
            return position
    return len(batch.records)


def is_exhausted(batch: Batch, policy: Policy) -> bool:
    """Whether the retries are used up."""
    return policy.retries is not None and batch.attempts > policy.retries
