"""How long a session waits, for the next attempt and in all."""

from __future__ import annotations

import random
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests
from requests.adapters import HTTPAdapter
from signing import PrivateApi, Retries, deadline, errors

from tests.signing.gateway import Gateway, Script, response

if TYPE_CHECKING:
    from signing import Credentials

QUICK = Retries(attempts=3, base=0.001, total=5)


def slowly() -> bytes:
    time.sleep(0.3)
    return response(200)


@pytest.mark.parametrize("date", [False, True])
def test_retry_after_is_honoured(
    *, date: bool, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """A wait that was asked for, in seconds or as a date, is kept."""
    now = time.time()
    asked = {"Retry-After": formatdate(now + 1, usegmt=True), "Date": formatdate(now, usegmt=True)}
    gateway.answer = Script(
        response(429, headers=asked if date else {"Retry-After": "1"}), response(200)
    )
    started = time.monotonic()
    assert api.session(credentials=keys, retries=QUICK).get("/x").ok
    assert 1 <= time.monotonic() - started < 3


@pytest.mark.parametrize("value", ["never", "-5", "1.5", "²", "Wed, 99 Foo 2026", ""])
def test_nonsense_in_retry_after(
    value: str, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """What cannot be understood is not waited for."""
    gateway.answer = Script(
        response(503).replace(b"\r\n\r\n", f"\r\nRetry-After: {value}\r\n\r\n".encode("latin-1")),
        response(200),
    )
    started = time.monotonic()
    assert api.session(credentials=keys, retries=QUICK).get("/x").ok
    assert time.monotonic() - started < 1


def test_a_wait_beyond_the_deadline_is_not_begun(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """When there is no time to wait, the answer at hand is returned at once."""
    gateway.answer = Script(response(503, headers={"Retry-After": "60"}))
    started = time.monotonic()
    assert api.session(credentials=keys, retries=QUICK).get("/x").status_code == 503
    assert time.monotonic() - started < 1
    assert len(gateway.received) == 1


def test_jitter() -> None:
    """Waits are spread over the whole of a doubling, capped range."""
    retries = Retries(base=0.1, cap=0.5)
    for attempt, most in ((1, 0.1), (2, 0.2), (3, 0.4), (4, 0.5), (50, 0.5)):
        waits = [retries.wait(attempt, {}) for _ in range(500)]
        assert 0 <= min(waits) < most / 10
        assert most * 0.9 < max(waits) <= most


class Context:
    """A Lambda context with so many milliseconds left."""

    def __init__(self, left: int) -> None:
        self.left = left

    def get_remaining_time_in_millis(self) -> int:
        return self.left


def test_slow_answers_end_with_the_deadline(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """The whole call, all attempts together, keeps within its total."""
    gateway.answer = Script(slowly)
    session = api.session(
        credentials=keys, retries=Retries(attempts=50, base=0, total=0.5), timeout=0.2
    )
    started = time.monotonic()
    with pytest.raises(requests.Timeout):
        session.get("/x")
    assert 0.4 < time.monotonic() - started < 2


def test_lambda_deadline(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """Within `deadline` no call outlives the invocation; after it all is as before."""
    gateway.answer = Script(slowly)
    session = api.session(credentials=keys, retries=Retries(attempts=50, base=0))
    started = time.monotonic()
    with deadline(Context(700), margin=0.5), pytest.raises(requests.Timeout):
        session.get("/x")
    assert time.monotonic() - started < 2
    with deadline(Context(400), margin=0.5), pytest.raises(errors.DeadlineExceeded):
        session.get("/x")
    assert session.get("/x").ok


def test_time_out_by_default(api: PrivateApi, keys: Credentials) -> None:
    """Nobody has to remember a time-out."""
    assert api.session(credentials=keys).timeout == (2.0, 30.0)
    assert api.session(credentials=keys, timeout=1).timeout == 1


@pytest.mark.parametrize("timeout", [0, -1, None, (1, None), (0, 1), (1, 2, 3), "1", True - 1])
def test_a_timeout_that_means_nothing_is_refused(
    timeout: Any, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """Zero, None and the like are neither "for ever" nor the default: they are told."""
    with pytest.raises(ValueError, match="positive seconds"):
        api.session(timeout=timeout)
    session = api.session(credentials=keys)
    with pytest.raises(ValueError, match="positive seconds"):
        session.get("/x", timeout=timeout)
    with pytest.raises(ValueError, match="positive seconds"):
        session.send(requests.Request("GET", f"{api.url}/x").prepare(), timeout=timeout)
    assert gateway.received == []


def test_a_timeout_longer_than_the_total_is_refused(api: PrivateApi, keys: Credentials) -> None:
    """What would be cut short is said before, not done."""
    short = Retries(total=10)
    with pytest.raises(ValueError, match="60 s is longer than all attempts have, 10 s"):
        api.session(timeout=60, retries=short)
    session = api.session(credentials=keys, retries=short)
    with pytest.raises(ValueError, match="Retries"):
        session.get("/x", timeout=(1, 11))


def test_a_long_timeout_holds(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """An answer that takes longer than 30 s is waited for by who asked for that."""
    limits: list[float] = []

    class Noting(HTTPAdapter):
        def send(self, request: Any, *args: Any, **options: Any) -> requests.Response:
            limits.append(options["timeout"].read_timeout)
            return super().send(request, *args, **options)

    for options in ({"timeout": 300}, {"timeout": 300, "retries": Retries(total=400)}):
        session = api.session(credentials=keys, **options)
        session.mount("http://", Noting())
        assert session.get("/x").ok
    session = api.session(credentials=keys)
    session.mount("http://", Noting())
    assert session.get("/x", timeout=90).ok
    assert [round(limit) for limit in limits] == [300, 300, 90]
    assert len(gateway.received) == 3


def test_retries_none_is_refused(api: PrivateApi) -> None:
    """It could mean none at all or the default: the error says how to write either."""
    with pytest.raises(TypeError, match=r"Retries\(attempts=1\)"):
        api.session(retries=cast("Any", None))


def test_jitter_differs_after_a_snapshot() -> None:
    """Processes restored from one snapshot, with one state of `random`, wait differently."""
    state = random.getstate()
    waits = []
    for _ in range(2):
        random.setstate(state)
        waits.append([Retries(base=10, cap=10).wait(1, {}) for _ in range(5)])
    assert waits[0] != waits[1]
