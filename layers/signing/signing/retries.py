"""How long a call may take, and when it is tried again."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

from .frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests import PreparedRequest

# Not the module's own: what a snapshot is restored to, all copies of it share.
_random = random.SystemRandom()
TRANSIENT = frozenset({429, 502, 503, 504})
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})  # RFC 9110, 9.2.2
_end: ContextVar[float] = ContextVar("signing_end", default=float("inf"))


class Retries(Frozen):
    """At most `attempts` of a call, none begun or waiting when `total` seconds are over.

    Without `total` they have 30 s together, or as long as one attempt may take, if that is longer.
    Between attempt n and the next is a random part of `base * 2 ** (n - 1)` seconds, of `cap` at
    most (full jitter), or what Retry-After asks for, if that is longer.
    """

    __slots__ = ("attempts", "base", "cap", "total")

    attempts: int
    total: float | None
    base: float
    cap: float

    def __init__(
        self,
        *,
        attempts: int = 3,
        total: float | None = None,
        base: float = 0.1,
        cap: float = 2.0,
    ) -> None:
        if attempts < 1 or (total is not None and total <= 0) or base < 0 or cap < 0:
            raise ValueError("attempts and total are positive, base and cap not negative")
        self._set(attempts=attempts, total=total, base=base, cap=cap)

    def wait(self, attempt: int, headers: Mapping[str, str]) -> float:
        """Return the seconds to wait after an attempt (1, 2...) that was answered so."""
        jitter = _random.uniform(0, min(self.cap, self.base * 2 ** (attempt - 1)))
        return max(jitter, _retry_after(headers))


class LambdaContext(Protocol):
    def get_remaining_time_in_millis(self) -> int: ...


@contextmanager
def deadline(context: LambdaContext, *, margin: float = 0.5) -> Iterator[None]:
    """Let no call in this block wait for longer than the invocation lasts, less `margin` seconds.

    An answer that comes in drops may last longer. Holds for the thread that entered the block.
    """
    with within(context.get_remaining_time_in_millis() / 1000 - margin):
        yield


@contextmanager
def within(seconds: float) -> Iterator[float]:
    """Yield the monotonic time at which all calls in this block must end; blocks may be nested."""
    end = min(_end.get(), time.monotonic() + seconds)
    token = _end.set(end)
    try:
        yield end
    finally:
        _end.reset(token)


def limits_of(timeout: Any) -> tuple[float, float]:
    """Return the seconds to connect and to read; ValueError for what would wait for ever."""
    try:
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        if connect > 0 and read > 0:
            return float(connect), float(read)
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"timeout={timeout!r}: give positive seconds, or (to connect, between two pieces); to wait "
        "longer than the default's 30 s, give more"
    )


def may_repeat(request: PreparedRequest) -> bool:
    """Say whether a request can be sent twice, and that does no more than sending it once."""
    is_idempotent = request.method in _IDEMPOTENT or "Idempotency-Key" in request.headers
    return is_idempotent and can_be_sent_again(request.body)


def can_be_sent_again(body: Any) -> bool:
    """Say whether a body is still there once it was sent."""
    if hasattr(body, "seekable"):
        return bool(body.seekable())
    return hasattr(body, "seek") or not (hasattr(body, "read") or hasattr(body, "__next__"))


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds of a Retry-After: a number, or a date to compare with Date's."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    try:
        return until - parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return until - time.time()
