"""A clock that is wrong: learnt from API Gateway's Date, once."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from signing import Credentials, PrivateApi, SigV4Auth, errors, sigv4

from tests.signing.gateway import Gateway, response
from tests.signing.verifier import Secret, WrongSignatureError, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.signing.verifier import Wire


def ahead(keys: Credentials, by: timedelta) -> Callable[[Wire], bytes]:
    """Answer as API Gateway does whose clock is ahead of ours."""
    secrets = {keys.access_key_id: Secret(keys.secret_access_key, keys.session_token)}

    def answer(wire: Wire) -> bytes:
        now = datetime.now(UTC) + by
        date = {"Date": format_datetime(now, usegmt=True)}
        try:
            verify(wire, secrets, region="eu-west-1", now=now)
        except WrongSignatureError as error:
            late = f"{error} is now earlier than {now} - 5 min."
            early = f"Signature not yet current: {wire.one('x-amz-date')}"
            message = {"message": late if by > timedelta() else early}
            kind = {"x-amzn-ErrorType": "InvalidSignatureException"}
            return response(403, message, {**date, **kind})
        return response(200, headers=date)

    return answer


@pytest.mark.parametrize("hours", [-30, -1, 1, 30])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_signed_once_more(
    method: str, hours: int, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """A request refused for its date is signed by API Gateway's clock, a POST as well."""
    gateway.answer = ahead(keys, timedelta(hours=hours))
    session = api.session(credentials=keys)
    assert session.request(method, "/x", data=b"body").status_code == 200
    assert [wire.body for wire in gateway.received] == [b"body"] * 2
    assert session.request(method, "/x").status_code == 200
    assert len(gateway.received) == 3  # what was learnt is kept


def test_only_once(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A gateway that is never content gets two requests, and the caller the reason."""
    gateway.answer = lambda _: response(
        403, {"message": "Signature expired: x"}, {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    )
    answer = api.session(credentials=keys).get("/x")
    assert len(gateway.received) == 2
    with pytest.raises(errors.SignatureExpired):
        answer.raise_for_status()


@pytest.mark.parametrize("date", [None, "soon", ""])
def test_without_a_date(
    date: str | None, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """Without a Date to learn from there is nothing to repeat."""
    gateway.answer = lambda _: response(
        403, {"message": "Signature expired: x"}, {} if date is None else {"Date": date}
    )
    assert api.session(credentials=keys).get("/x").status_code == 403
    assert len(gateway.received) == 1


def test_other_refusals_teach_nothing(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A strange Date on any other answer does not move the clock."""
    long_ago = {"Date": "Thu, 01 Jan 1998 00:00:00 GMT"}
    gateway.answer = lambda _: response(403, {"message": "Forbidden"}, long_ago)
    session = api.session(credentials=keys)
    session.get("/x")
    assert session.signer.clock_offset == 0
    assert len(gateway.received) == 1


def test_midnight() -> None:
    """The key is that of the UTC day of the date, on both sides of midnight."""
    keys = Credentials(access_key_id="AK", secret_access_key="s")
    midnight = datetime(2026, 12, 31, tzinfo=UTC).timestamp() + 86400
    scopes = []
    for moment in (midnight - 1, midnight, midnight - 0.001, midnight + 0.999):
        answer = sigv4.sign(
            method="GET",
            url="https://a.example/",
            credentials=keys,
            region="r",
            service="s",
            at=moment,
        )
        scopes.append((answer["X-Amz-Date"], answer["Authorization"].split("/")[1]))
    assert scopes == [
        ("20261231T235959Z", "20261231"),
        ("20270101T000000Z", "20270101"),
        ("20261231T235959Z", "20261231"),
        ("20270101T000000Z", "20270101"),
    ]


def test_auth_is_compared_by_what_it_signs_for(keys: Credentials) -> None:
    """Equal auths are equal, as `requests` expects of its own, whatever the clock."""
    api = PrivateApi(url="https://a.example", region="r", service="vpc-lattice-svcs")
    one, two = SigV4Auth(api, credentials=keys), SigV4Auth(api, credentials=keys)
    two.clock_offset = 60
    assert one == two
    assert hash(one) == hash(two)
    assert one != SigV4Auth(api, credentials=keys, unsigned_payload=True)
    assert one != SigV4Auth(api)
    assert one != "auth"


def test_learnt_by_threads_at_once(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """Of calls that were refused together each is sent again, whoever learnt the time first."""
    threads = 8
    together = threading.Barrier(threads)
    first = itertools.count()
    answer_by_clock = ahead(keys, timedelta(hours=1))

    def answer(wire: Wire) -> bytes:
        said = answer_by_clock(wire)
        if next(first) < threads:
            together.wait(timeout=10)
        return said

    gateway.answer = answer
    session = api.session(credentials=keys)
    with ThreadPoolExecutor(threads) as pool:
        statuses = [*pool.map(lambda _: session.get("/x").status_code, range(threads))]
    assert statuses == [200] * threads


def test_not_for_an_answer_that_only_sounds_so(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """A POST is not repeated when a backend says `Signature expired` and the clocks agree."""
    message = {"message": "Signature expired: upstream"}
    now = {"Date": format_datetime(datetime.now(UTC) - timedelta(seconds=5), usegmt=True)}
    gateway.answer = lambda _: response(403, message, now)
    assert api.session(credentials=keys).post("/orders").status_code == 403
    assert len(gateway.received) == 1
