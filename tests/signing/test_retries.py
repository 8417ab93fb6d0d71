"""Faults over real sockets: what is tried again, signed anew, and until when."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from signing import Credentials, PrivateApi, Retries

from tests.signing.gateway import RESET, Gateway, Script, response
from tests.signing.verifier import Secret, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.signing.verifier import Wire

QUICK = Retries(attempts=3, base=0.001, total=5)


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


def test_connections_that_died_meanwhile(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """A connection that was closed while Lambda was frozen is replaced, also for a POST."""
    gateway.hang_up = True
    session = api.session(credentials=keys, retries=Retries(attempts=1))
    for _ in range(3):
        assert session.post("/x", data=b"1").ok
        time.sleep(0.05)  # until the other side has hung up


def test_nothing_is_signed_ahead(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """What is prepared carries no signature that could grow old until it is sent."""
    session = api.session(credentials=keys)
    prepared = session.prepare_request(requests.Request("GET", f"{api.url}/x"))
    assert "Authorization" not in prepared.headers
    assert session.send(prepared).ok
    assert gateway.last.all("authorization")


def test_bad_policies() -> None:
    """A policy that makes no sense is refused when it is made."""
    for wrong in ({"attempts": 0}, {"total": 0}, {"base": -1}, {"cap": -1}):
        with pytest.raises(ValueError, match="positive"):
            Retries(**wrong)
