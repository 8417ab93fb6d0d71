"""When a call is tried again, how long to wait before, and until when."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

from .frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STATUSES = frozenset({429, 502, 503, 504})
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
_end: ContextVar[float] = ContextVar("signing_deadline", default=float("inf"))


class LambdaContext(Protocol):
    """What a Lambda handler is given: only the remaining time is of interest here."""

    def get_remaining_time_in_millis(self) -> int: ...


class Retries(Frozen):
    """At most `attempts` within `total` seconds, waiting a random part of `base * 2**n`, `cap`."""

    __slots__ = ("attempts", "total", "base", "cap")

    attempts: int
    total: float
    base: float
    cap: float

    def __init__(
        self, *, attempts: int = 3, total: float = 30.0, base: float = 0.1, cap: float = 2.0
    ) -> None:
        if attempts < 1 or total <= 0 or base < 0 or cap < 0:
            raise ValueError("attempts and total are positive, base and cap not negative")
        self._set(attempts=attempts, total=total, base=base, cap=cap)

    def wait(self, attempt: int, headers: Mapping[str, str] | None = None) -> float:
        """Return the seconds to wait after an attempt (1, 2...): full jitter, or Retry-After."""
        backoff = random.uniform(0, min(self.cap, self.base * 2 ** (attempt - 1)))  # noqa: S311
        return max(backoff, _retry_after(headers.get("Retry-After")) if headers else 0)


@contextmanager
def deadline(context: LambdaContext, *, margin: float = 0.5) -> Iterator[None]:
    """Let no call in this block outlive a Lambda invocation, less `margin` seconds to react."""
    end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - margin
    token = _end.set(min(_end.get(), end))
    try:
        yield
    finally:
        _end.reset(token)


@contextmanager
def call_ends(total: float) -> Iterator[float]:
    """Yield the monotonic time at which the call in this block, redirects included, must end."""
    end = min(_end.get(), time.monotonic() + total)
    token = _end.set(end)
    try:
        yield end
    finally:
        _end.reset(token)


def may_repeat(method: str, headers: Mapping[str, str]) -> bool:
    """Say whether sending twice does no more than sending once."""
    return method in _IDEMPOTENT or "Idempotency-Key" in headers


def is_transient(status: int) -> bool:
    """Say whether an answer may be better the next time."""
    return status in _STATUSES


def _retry_after(value: str | None) -> float:
    """Seconds from a Retry-After, which is a number or an HTTP date (RFC 9110, 10.2.3)."""
    if not value:
        return 0
    if value.strip().isdigit():
        return float(value)
    try:
        return parsedate_to_datetime(value).timestamp() - time.time()
    except ValueError:
        return 0
