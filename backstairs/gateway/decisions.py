"""The decisions of a door as they are kept, for whoever asks why."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from backstairs.access import Decision
    from backstairs.gateway.outcome import By

KEPT = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """One decision as it is kept: nothing secret, no body.

    `by` says who answered. `trace` is what the calls share that one call leads to: the root of
    X-Amzn-Trace-Id.
    """

    request_id: str
    trace: str
    time: datetime
    origin: str
    method: str
    path: str
    caller: str | None
    decision: Decision
    status: int
    by: By


class Decisions:
    """The last `KEPT` decisions by request id, oldest first."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, Record] = OrderedDict()

    def keep(self, record: Record) -> None:
        """Keep one more; the oldest goes when there are too many."""
        self._records[record.request_id] = record
        if len(self._records) > KEPT:
            self._records.popitem(last=False)

    def of(self, request_id: str) -> Record | None:
        """The decision on one request, if it is still kept."""
        return self._records.get(request_id)

    def last(self) -> Record:
        """The newest. Raises StopIteration where there is none."""
        return next(reversed(self._records.values()))

    def led_to(self, record: Record) -> list[Record]:
        """The calls that a call led to: a forwarder's, which began after it did."""
        return [
            one
            for one in self._records.values()
            if one.trace == record.trace
            and one.time >= record.time
            and one.request_id != record.request_id
        ]
