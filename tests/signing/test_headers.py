"""Which headers are signed, and what is passed on without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from signing import PrivateApi, SigV4Auth

from tests.signing.gateway import Gateway, response

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from signing import Credentials

    from tests.signing.verifier import Wire

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
NETWORK = {
    "X-Amzn-Trace-Id": TRACE,
    "traceparent": "00-1-2-01",
    "Accept-Encoding": "br",
    "Connection": "close",
    "User-Agent": "x",
    "X-Forwarded-For": "10.0.0.1",
    "Accept": "*/*",
    "Cookie": "a=b",
    "Expect": "nothing",
}


def signed(wire: Wire) -> list[str]:
    return wire.one("authorization").split("SignedHeaders=")[1].split(",")[0].split(";")


def test_few_are_signed(
    gateway: Gateway, keys: Credentials, verified: Callable[[Wire], str]
) -> None:
    """Only what no proxy or tracer changes."""
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", api_id="abc")
    api.session(credentials=keys).post("/x", json={}, headers={**NETWORK, "x-amz-meta-a": "1"})
    assert signed(gateway.last) == [
        "content-type",
        "host",
        "x-amz-date",
        "x-amz-meta-a",
        "x-amz-security-token",
        "x-apigw-api-id",
    ]
    assert verified(gateway.last)


def test_trace_and_correlation(
    gateway: Gateway, api: PrivateApi, keys: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X-Ray's header and the correlation id go along, unsigned."""
    session = api.session(credentials=keys, correlation_id=lambda: "c-1")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
    session.get("/x")
    assert gateway.last.one("x-amzn-trace-id") == TRACE
    assert gateway.last.one("x-correlation-id") == "c-1"
    assert signed(gateway.last) == ["host", "x-amz-date", "x-amz-security-token"]
    session.get("/x", headers={"x-amzn-trace-id": "mine", "x-correlation-id": "mine"})
    assert gateway.last.one("x-amzn-trace-id") == gateway.last.one("x-correlation-id") == "mine"


def test_none_without(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """Without a trace or an id there are no empty headers."""
    api.session(credentials=keys, correlation_id=lambda: None).get("/x")
    assert gateway.last.all("x-amzn-trace-id") == gateway.last.all("x-correlation-id") == []


def test_no_cookies(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A cookie is not kept for the next caller of a shared session."""
    gateway.answer = lambda _: response(200, headers={"Set-Cookie": "a=b"})
    session = api.session(credentials=keys)
    session.get("/x")
    session.get("/x")
    assert gateway.last.all("cookie") == []


def test_signed_twice(
    gateway: Gateway, api: PrivateApi, keys: Credentials, verified: Callable[[Wire], str]
) -> None:
    """An auth called again on one request replaces what it did, with a new date and token."""
    rotating = iter([keys, type(keys)(access_key_id="AK", secret_access_key="s"), keys])
    auth = SigV4Auth(api, credentials=lambda: next(rotating))
    prepared = requests.Request("POST", f"{api.url}/x", data=b"1", auth=auth).prepare()
    auth(prepared)
    assert "X-Amz-Security-Token" not in prepared.headers
    auth(prepared)
    requests.Session().send(prepared)
    assert verified(gateway.last) == keys.access_key_id
    assert prepared.hooks["response"] == prepared.hooks["response"][:1]
