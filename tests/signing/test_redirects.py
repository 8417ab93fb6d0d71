"""Redirects: a signature, a token or an address never goes where it was not meant to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from signing import PrivateApi, SigV4Auth, errors

from tests.signing.gateway import Gateway, response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signing import Credentials

    from tests.signing.verifier import Wire

SECRET = ("authorization", "x-amz-security-token", "x-amz-date", "x-apigw-api-id")


@pytest.fixture
def other() -> Iterator[Gateway]:
    with Gateway() as server:
        yield server


def redirecting(to: str, status: int = 302) -> Callable[[Wire], bytes]:
    def answer(wire: Wire) -> bytes:
        if wire.target.endswith(b"/old"):
            return response(status, headers={"Location": to})
        return response(200)

    return answer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_not_followed_unless_asked(
    status: int, gateway: Gateway, other: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """A session returns the redirect itself, by every method."""
    gateway.answer = redirecting(other.url, status)
    session = api.session(credentials=keys)
    for call in (session.get, session.options, session.head, session.post, session.delete):
        assert call("/old").status_code == status
    assert other.received == []


@pytest.mark.parametrize("status", [302, 307])
def test_followed_and_signed_anew(
    status: int,
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """If asked, a redirect within the API is followed with a signature of its own."""
    gateway.answer = redirecting("/dev/new?a=1", status)
    answer = api.session(credentials=keys).post("/old", data=b"body", allow_redirects=True)
    assert answer.status_code == 200
    assert [hop.status_code for hop in answer.history] == [status]
    first, second = gateway.received
    assert verified(first) == verified(second) == keys.access_key_id
    assert second.target == b"/dev/new?a=1"
    assert second.body == (b"body" if status == 307 else b"")


@pytest.mark.parametrize("status", [301, 307])
def test_never_to_another_host(
    status: int, gateway: Gateway, other: Gateway, keys: Credentials
) -> None:
    """Even if asked, another host gets nothing at all from a session."""
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", api_id="abc")
    gateway.answer = redirecting(f"{other.url}/dev/x", status)
    with pytest.raises(errors.HostRefused) as refused:
        api.session(credentials=keys).post("/old", data=b"secret", allow_redirects=True)
    assert other.received == []
    assert refused.value.host == f"127.0.0.1:{other.port}"
    assert refused.value.host in str(refused.value)
    assert refused.value.response is not None
    assert refused.value.response.status_code == status
    assert refused.value.response.headers["Location"] == f"{other.url}/dev/x"


OWN = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("address", [{"api_id": "a1b2c3d4e5"}, {"host": OWN}])
@pytest.mark.parametrize(
    "location", [f"https://{OWN}/dev/new?a=1", f"https://{OWN}:443/dev/new?a=1"]
)
def test_the_apis_own_name_is_followed_by_the_one_it_is_reached_by(
    *,
    location: str,
    address: Any,
    gateway: Gateway,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """A service knows the API's own name alone, and puts that into an absolute Location."""
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", **address)
    gateway.answer = redirecting(location, 307)
    answer = api.session(credentials=keys).post("/old", data=b"body", allow_redirects=True)
    assert answer.status_code == 200
    assert [wire.target for wire in gateway.received] == [b"/dev/old", b"/dev/new?a=1"]
    assert [verified(wire) for wire in gateway.received] == [keys.access_key_id] * 2
    assert gateway.last.all("x-apigw-api-id") == gateway.received[0].all("x-apigw-api-id")
    assert gateway.last.one("host") == gateway.received[0].one("host")


def test_an_alias_knows_the_apis_own_name() -> None:
    """An endpoint's alias begins with the id of the API, which is all that its own name takes."""
    alias = f"https://a1b2c3d4e5-vpce-0a1b.{OWN.partition('.')[2]}"
    api = PrivateApi(url=f"{alias}/dev", region="eu-west-1")
    assert api.reached(f"https://{OWN}/dev/x?y=/z") == f"{alias}/dev/x?y=/z"
    assert api.reached(f"https://{OWN}") == alias
    other = f"https://b{OWN}/dev"
    assert api.reached(other) == other


@pytest.mark.parametrize(
    "location",
    [
        f"https://{OWN}.evil.example/dev/new",
        f"https://user@{OWN}/dev/new",
        f"https://{OWN}:8443/dev/new",
        "https://b1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/dev/new",
        "https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com/dev/new",
    ],
)
def test_a_name_that_is_not_quite_its_own_is_refused(
    location: str, gateway: Gateway, keys: Credentials
) -> None:
    """Another API, region, port or user is not this API."""
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", api_id="a1b2c3d4e5")
    gateway.answer = redirecting(location)
    with pytest.raises(errors.HostRefused):
        api.session(credentials=keys).get("/old", allow_redirects=True)
    assert len(gateway.received) == 1


def test_endless_redirects_end(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A loop is given up as `requests` does."""
    gateway.answer = redirecting("/dev/old")
    with pytest.raises(requests.TooManyRedirects):
        api.session(credentials=keys).get("/old", allow_redirects=True)


@pytest.mark.parametrize("here", [True, False])
def test_auth_alone_leaks_nothing(
    *, here: bool, gateway: Gateway, other: Gateway, keys: Credentials
) -> None:
    """With plain `requests`, which follows redirects by itself, they go out unsigned."""
    target = gateway if here else other
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", host="abc.example.com")
    gateway.answer = redirecting(f"{target.url}/dev/new")
    auth = SigV4Auth(api, credentials=keys)
    answer = requests.get(f"{api.url}/old", auth=auth, timeout=5)
    assert answer.status_code == 200
    assert target.last.target == b"/dev/new"
    assert [name for name in SECRET if target.last.all(name)] == []
    assert target.last.one("host") == f"127.0.0.1:{target.port}"
    assert answer.history[0].request.headers["Host"] == "abc.example.com"


def test_auth_alone_without_following(gateway: Gateway, other: Gateway, keys: Credentials) -> None:
    """The request that `requests` derives for later carries nothing either."""
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", api_id="abc")
    gateway.answer = redirecting(f"{other.url}/dev/new")
    auth = SigV4Auth(api, credentials=keys)
    answer = requests.get(f"{api.url}/old", auth=auth, timeout=5, allow_redirects=False)
    assert answer.next is not None
    assert not {"authorization", "host", *SECRET} & {name.lower() for name in answer.next.headers}


@pytest.mark.parametrize("location", ["/dev/a%2fb", "/dev/a[1]", "/dev/a|b", "/dev/%7e"])
def test_signed_as_it_is_sent(
    location: str,
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """A Location that is rewritten on its way to the wire is signed as rewritten."""
    gateway.answer = redirecting(location)
    assert api.session(credentials=keys).get("/old", allow_redirects=True).status_code == 200
    verified(gateway.last)
