"""Faults over real sockets: what is tried again, signed anew, and until when."""

from __future__ import annotations

import io
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
import requests
from signing import Credentials, PrivateApi, Retries, deadline, errors

from tests.signing.gateway import RESET, Gateway, response
from tests.signing.verifier import Secret, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.signing.verifier import Wire

QUICK = Retries(attempts=3, base=0.001, total=5)


class Script:
    """Answers in turn, the last one for ever."""

    def __init__(self, *answers: bytes | Callable[[], bytes]) -> None:
        self.answers: Iterator[bytes | Callable[[], bytes]] = iter(answers)
        self.last: bytes | Callable[[], bytes] = RESET

    def __call__(self, _: Wire) -> bytes:
        self.last = next(self.answers, self.last)
        return self.last() if callable(self.last) else self.last


def slowly() -> bytes:
    time.sleep(0.3)
    return response(200)


CUT_SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nshort"


@pytest.mark.parametrize("fault", [RESET, CUT_SHORT, *map(response, (429, 502, 503, 504))])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_idempotent_requests_are_tried_again(
    *,
    method: str,
    fault: bytes,
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """Connection failures and the four transient answers are tried again, each signed."""
    gateway.answer = Script(fault, fault, response(200))
    answer = api.session(credentials=keys, retries=QUICK).request(method, "/x", data=b"body")
    assert answer.status_code == 200
    assert [wire.body for wire in gateway.received] == [b"body"] * len(gateway.received)
    assert {verified(wire) for wire in gateway.received} == {keys.access_key_id}
    cut_unseen = method == "HEAD" and fault is CUT_SHORT  # a HEAD's answer has no body anyway
    assert len(gateway.received) == (1 if cut_unseen else 3)


@pytest.mark.parametrize("fault", [RESET, response(503)])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_other_requests_are_not(
    method: str, fault: bytes, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """A POST may have been carried out: it is sent once, unless it has an Idempotency-Key."""
    session = api.session(credentials=keys, retries=QUICK)
    gateway.answer = Script(fault)
    if fault is RESET:
        with pytest.raises(requests.ConnectionError):
            session.request(method, "/x", data=b"1")
    else:
        assert session.request(method, "/x", data=b"1").status_code == 503
    assert len(gateway.received) == 1

    gateway.answer = Script(fault, response(201))
    answer = session.request(method, "/x", data=b"1", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201
    assert len(gateway.received) == 3


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 408, 409, 413, 500, 501])
def test_nothing_else_is_tried_again(
    status: int, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """Any other answer is the answer."""
    gateway.answer = Script(response(status, headers={"Retry-After": "0"}))
    assert api.session(credentials=keys, retries=QUICK).get("/x").status_code == status
    assert len(gateway.received) == 1


def test_gives_up(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """After the last attempt the answer is returned, or the failure raised."""
    session = api.session(credentials=keys, retries=QUICK)
    gateway.answer = Script(response(503, {"message": "busy"}))
    answer = session.get("/x")
    assert (answer.status_code, answer.json()) == (503, {"message": "busy"})
    with pytest.raises(requests.HTTPError, match="503"):
        answer.raise_for_status()
    gateway.answer = Script(RESET)
    with pytest.raises(requests.ConnectionError):
        session.get("/x")
    assert len(gateway.received) == 6


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
    assert 1 <= time.monotonic() - started < 2


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
    assert 0.4 < time.monotonic() - started < 0.7


def test_lambda_deadline(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """Within `deadline` no call outlives the invocation; after it all is as before."""
    gateway.answer = Script(slowly)
    session = api.session(credentials=keys, retries=Retries(attempts=50, base=0))
    started = time.monotonic()
    with deadline(Context(700), margin=0.5), pytest.raises(requests.Timeout):
        session.get("/x")
    assert time.monotonic() - started < 0.4
    with deadline(Context(400), margin=0.5), pytest.raises(errors.DeadlineExceeded):
        session.get("/x")
    assert session.get("/x").ok


def test_time_out_by_default(api: PrivateApi, keys: Credentials) -> None:
    """Nobody has to remember a time-out."""
    assert api.session(credentials=keys).timeout == (2.0, 30.0)
    assert api.session(credentials=keys, timeout=1).timeout == 1


def test_files_are_sent_whole_again(
    gateway: Gateway, api: PrivateApi, keys: Credentials, verified: Callable[[Wire], str]
) -> None:
    """A file is put back to where it stood before each attempt."""
    gateway.answer = Script(response(503), RESET, response(200))
    body = io.BytesIO(b"skipped" + b"x" * 100_000)
    body.seek(7)
    assert api.session(credentials=keys, retries=QUICK).put("/x", data=body).ok
    assert {wire.body for wire in gateway.received} == {b"x" * 100_000}
    assert {verified(wire) for wire in gateway.received} == {keys.access_key_id}


def test_each_attempt_has_its_own_credentials_and_date(gateway: Gateway, api: PrivateApi) -> None:
    """Credentials that expire between two attempts are replaced by the next, and the date too."""
    sets = [
        Credentials(access_key_id=f"AK{n}", secret_access_key=f"s{n}", session_token=f"t{n}")
        for n in range(3)
    ]
    secrets = {k.access_key_id: Secret(k.secret_access_key, k.session_token) for k in sets}
    source = iter(sets)
    gateway.answer = Script(response(429, headers={"Retry-After": "1"}), RESET, response(200))
    session = api.session(credentials=lambda: next(source), retries=QUICK)
    assert session.get("/x").ok
    signers = [verify(wire, secrets, region="eu-west-1") for wire in gateway.received]
    assert signers == ["AK0", "AK1", "AK2"]
    dates = [wire.one("x-amz-date") for wire in gateway.received]
    assert dates[0] < dates[1]


def test_what_the_caller_passed_is_untouched(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """Neither the caller's dicts nor its prepared request change."""
    gateway.answer = Script(response(503), response(200))
    options: dict[str, Any] = {"headers": {"A": "1"}, "params": {"b": "2"}, "json": {"c": [3]}}
    before = repr(options)
    session = api.session(credentials=keys, retries=QUICK)
    session.put("/x", **options)
    assert repr(options) == before
    prepared = requests.Request("GET", f"{api.url}/x", headers={"A": "1"}).prepare()
    session.send(prepared)
    assert dict(prepared.headers) == {"A": "1"}


def test_bad_policies() -> None:
    """A policy that makes no sense is refused when it is made."""
    for wrong in ({"attempts": 0}, {"total": 0}, {"base": -1}, {"cap": -1}):
        with pytest.raises(ValueError, match="positive"):
            Retries(**wrong)
