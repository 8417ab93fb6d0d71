"""Temporary credentials are kept, and replaced before they expire."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from signing import Credentials, errors
from signing.credentials import Refreshing

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A source of credentials, and the time by which they expire."""

    def __init__(self) -> None:
        self.now = 0.0
        self.fetched = 0
        self.down = False

    def __call__(self) -> float:
        return self.now

    def fetch(self) -> tuple[Credentials, float]:
        self.fetched += 1
        if self.down:
            raise ConnectionRefusedError
        number = str(self.fetched)
        return Credentials(access_key_id=number, secret_access_key="s"), self.now + 3600


def refreshing(clock: Clock) -> Callable[[], str]:
    provider = Refreshing(clock.fetch, clock=clock)
    return lambda: provider().access_key_id


def test_refreshed_ahead() -> None:
    """A set is replaced five minutes before it expires, not earlier."""
    clock = Clock()
    key = refreshing(clock)
    seen = []
    for now in (0, 3299, 3301, 3600, 3301 + 3299, 3301 + 3301):
        clock.now = now
        seen.append(key())
    assert seen == ["1", "1", "2", "2", "2", "3"]


def test_a_source_that_is_down() -> None:
    """The old set serves until it expires; a failed attempt is not repeated at once."""
    clock = Clock()
    key = refreshing(clock)
    assert key() == "1"
    clock.down, clock.now = True, 3400
    assert [key(), key(), key()] == ["1", "1", "1"]
    assert clock.fetched == 2
    clock.now = 3420
    assert key() == "1"
    assert clock.fetched == 3
    clock.now = 3601
    with pytest.raises(errors.CredentialsError, match="no credentials"):
        key()
    clock.down = False
    assert key() == "5"


def test_one_thread_refreshes() -> None:
    """While one thread fetches ahead of expiry the others go on with the old set."""
    clock, entered, release = Clock(), threading.Event(), threading.Event()

    def fetch() -> tuple[Credentials, float]:
        if clock.fetched:
            entered.set()
            release.wait(5)
        return clock.fetch()

    provider = Refreshing(fetch, clock=clock)
    provider()
    clock.now = 3500
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(provider)
        entered.wait(5)
        assert provider().access_key_id == "1"
        release.set()
        assert slow.result().access_key_id == "2"
    assert clock.fetched == 2
