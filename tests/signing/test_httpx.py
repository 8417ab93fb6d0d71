"""The httpx auth, over real sockets to two hosts: what is signed, and what never goes elsewhere."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from signing import Credentials, HttpxAuth, PrivateApi, errors

from tests.signing.conftest import KEYS
from tests.signing.gateway import Gateway, response
from tests.signing.test_redirects import SECRET, redirecting
from tests.signing.verifier import Secret, verify

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.signing.verifier import Wire

REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "parameters": {"params": {"q": "a b+c", "a": ["2", "1"], "t": "10:00,1*"}},
    "a query as written": {"url": "?b=2&a=%2f&x&y=&z=a+b"},
    "an encoded path": {"url": "/a%20b/c%2Fd/caf%C3%A9;v=1/"},
    "Unicode": {"url": "/Zoë", "params": {"ü": "日本"}},
    "repeated slashes": {"url": "//a///b"},
    "JSON": {"method": "POST", "json": {"name": "Zoë"}},
    "a form": {"method": "POST", "data": {"a": "b c"}},
    "a multipart form": {"method": "POST", "files": {"f": ("n.txt", b"abc")}},
    "no body": {"method": "POST"},
    "a method in lower case": {"method": "put", "content": b"\x00\xff"},
    "white space in headers": {"headers": {"x-amz-meta-a": "a   b\tc"}},
    "bytes in headers": {"headers": [(b"x-amz-meta-a", "é".encode()), (b"x-amz-meta-a", b"2")]},
    "an own Host": {"headers": {"Host": "abc.execute-api.eu-west-1.amazonaws.com"}},
    "an own Authorization": {"headers": {"Authorization": "Bearer x", "X-Amz-Date": "x"}},
}


def called(way: str, api: PrivateApi, auth: HttpxAuth, **options: Any) -> httpx.Response:
    """Send one request by a client or an async client."""
    follow = options.pop("follow_redirects", False)
    method, url = options.pop("method", "GET"), api.url + options.pop("url", "/members/1")
    if way == "sync":
        with httpx.Client(auth=auth, follow_redirects=follow) as client:
            return client.request(method, url, **options)

    async def call() -> httpx.Response:
        async with httpx.AsyncClient(auth=auth, follow_redirects=follow) as client:
            return await client.request(method, url, **options)

    return asyncio.run(call())


@pytest.fixture
def other() -> Iterator[Gateway]:
    with Gateway() as server:
        yield server


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("way", ["sync", "async"])
def test_verifies(
    *, way: str, name: str, gateway: Gateway, api: PrivateApi, verified: Callable[[Wire], str]
) -> None:
    """The signature holds for the bytes that arrived."""
    assert called(way, api, HttpxAuth(api, credentials=KEYS), **REQUESTS[name]).status_code == 200
    assert verified(gateway.last) == KEYS.access_key_id


def pieces() -> Iterator[bytes]:
    yield b"one"
    yield b"two"


async def async_pieces() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


@pytest.mark.parametrize(("way", "body"), [("sync", pieces), ("async", async_pieces)])
def test_streams_are_hashed_first(
    way: str,
    body: Callable[[], Any],
    gateway: Gateway,
    api: PrivateApi,
    verified: Callable[[Wire], str],
) -> None:
    """A generator is read before it is sent."""
    called(way, api, HttpxAuth(api, credentials=KEYS), method="POST", content=body())
    assert gateway.last.body == b"onetwo"
    assert verified(gateway.last) == KEYS.access_key_id


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("address", [{"api_id": "a1b2c3d4e5"}, {"host": "abc.example.com"}])
def test_addressed(
    *, way: str, address: Any, gateway: Gateway, verified: Callable[[Wire], str]
) -> None:
    """The API's id, or a Host other than the URL's, goes along and is signed."""
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", **address)
    called(way, api, HttpxAuth(api, credentials=KEYS))
    assert verified(gateway.last) == KEYS.access_key_id
    host = address.get("host", f"127.0.0.1:{gateway.port}")
    assert gateway.last.one("host") == host
    assert gateway.last.all("x-apigw-api-id") == [
        value.encode() for name, value in address.items() if name == "api_id"
    ]


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("here", [True, False])
def test_a_followed_redirect_takes_nothing_along(
    *, way: str, status: int, here: bool, gateway: Gateway, other: Gateway
) -> None:
    """What httpx follows goes out without signature, token and address, to either host."""
    target = gateway if here else other
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", host="abc.example.com")
    gateway.answer = redirecting(f"{target.url}/dev/new", status)
    auth = HttpxAuth(api, credentials=KEYS)
    answer = called(way, api, auth, method="POST", url="/old", json=1, follow_redirects=True)
    assert answer.status_code == 200
    assert gateway.received[0].one("authorization")
    assert target.last.target == b"/dev/new"
    assert [name for name in SECRET if target.last.all(name)] == []
    assert target.last.one("host") == f"127.0.0.1:{target.port}"


def test_the_next_request_is_signed_anew_or_refused(
    gateway: Gateway, other: Gateway, verified: Callable[[Wire], str]
) -> None:
    """`next_request` of a redirect carries nothing; sent with the auth it is signed or refused."""
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", api_id="abc")
    with httpx.Client(auth=HttpxAuth(api, credentials=KEYS)) as client:
        gateway.answer = redirecting("/dev/new")
        here = client.get(f"{api.url}/old").next_request
        gateway.answer = redirecting(f"{other.url}/dev/new")
        there = client.get(f"{api.url}/old").next_request
        assert here is not None
        assert there is not None
        for following in (here, there):
            assert not {name.decode().lower() for name, _ in following.headers.raw} & {*SECRET}
        assert client.send(here).status_code == 200
        assert verified(gateway.last) == KEYS.access_key_id
        assert gateway.last.target == b"/dev/new"
        with pytest.raises(errors.HostRefused) as refused:
            client.send(there)
    assert refused.value.host == f"127.0.0.1:{other.port}"
    assert other.received == []


@pytest.mark.parametrize("way", ["sync", "async"])
def test_no_other_host_is_called(
    way: str, gateway: Gateway, other: Gateway, api: PrivateApi
) -> None:
    """A client whose auth this is sends nothing to a host that was not named."""
    elsewhere = PrivateApi(url=f"{other.url}/dev", region="eu-west-1")
    with pytest.raises(errors.HostRefused):
        called(way, elsewhere, HttpxAuth(api, credentials=KEYS))
    assert other.received == gateway.received == []


def test_sent_again_it_is_signed_again(gateway: Gateway, api: PrivateApi) -> None:
    """The provider is asked once for each sending of one and the same request."""
    sets = [
        Credentials(access_key_id=f"AK{n}", secret_access_key=f"s{n}", session_token=token)
        for n, token in enumerate(("t0", None))
    ]
    source = iter(sets)
    with httpx.Client(auth=HttpxAuth(api, credentials=lambda: next(source))) as client:
        request = client.build_request("GET", f"{api.url}/x")
        client.send(request)
        client.send(request)
    secrets = {k.access_key_id: Secret(k.secret_access_key, k.session_token) for k in sets}
    assert [verify(wire, secrets, region="eu-west-1") for wire in gateway.received] == [
        "AK0",
        "AK1",
    ]
    assert gateway.last.all("x-amz-security-token") == []


def test_a_provider_does_not_hold_the_event_loop(gateway: Gateway, api: PrivateApi) -> None:
    """An AsyncClient asks a provider in a thread of its own, since it may wait for a network."""
    threads = []

    def provider() -> Credentials:
        threads.append(threading.current_thread())
        return KEYS

    called("async", api, HttpxAuth(api, credentials=provider))
    assert threads[0] is not threading.main_thread()
    assert len(gateway.received) == 1


def test_without_credentials_the_environment_is_asked(
    gateway: Gateway, api: PrivateApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda's variables are read at each request."""
    for number in ("1", "2"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AK{number}")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        called("async", api, HttpxAuth(api))
        assert f"Credential=AK{number}/" in gateway.last.one("authorization")


def test_nothing_secret_is_shown(gateway: Gateway, api: PrivateApi) -> None:
    """Neither request nor response shows token or signature, as httpx's event hooks may log."""
    gateway.answer = lambda _: response(200)
    answer = called("sync", api, HttpxAuth(api, credentials=KEYS))
    shown = repr(answer.request.headers) + repr(dict(answer.request.headers))
    assert KEYS.session_token
    assert str.__str__(KEYS.session_token) not in shown
    assert gateway.last.one("authorization").split("Signature=")[1] not in shown
