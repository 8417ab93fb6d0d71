"""The description of an API: from the environment, and which URLs are its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from signing import PrivateApi, SigV4Auth, errors, path

if TYPE_CHECKING:
    from signing import Credentials

    from tests.signing.gateway import Gateway

VPCE = "https://vpce-1a-2b.execute-api.eu-west-1.vpce.amazonaws.com/dev"
API_HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"X_URL": VPCE, "X_ID": "a1b2c3d4e5"}, {"api_id": "a1b2c3d4e5"}),
        ({"X_URL": VPCE, "X_HOST": API_HOST}, {"host": API_HOST}),
        ({"X_URL": VPCE, "X_ID": "", "X_HOST": ""}, {}),
        ({"X_URL": VPCE, "X_REGION": "us-east-2"}, {"region": "us-east-2"}),
    ],
)
def test_from_environment(environment: dict[str, str], expected: dict[str, str]) -> None:
    """Each form of addressing is a matter of variables alone; empty ones do not count."""
    api = PrivateApi.from_environment("X", {"AWS_REGION": "eu-west-1", **environment})
    assert api == PrivateApi(**{"url": VPCE, "region": "eu-west-1", **expected})


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "X_URL is not set"),
        ({"X_URL": VPCE}, "neither X_REGION nor AWS_REGION"),
        ({"X_URL": VPCE, "AWS_REGION": "r", "X_ID": "a", "X_HOST": "b"}, "X_ID, X_HOST: .*not by"),
        ({"X_URL": "vpce/dev", "AWS_REGION": "r"}, "X_URL.*not like https"),
        ({"X_URL": "http://name/dev", "AWS_REGION": "r"}, "X_URL.*in the clear"),
        ({"X_URL": "https://u:p@name/dev", "AWS_REGION": "r"}, "not like https"),
        ({"X_URL": VPCE + "?a=1", "AWS_REGION": "r"}, "not like https"),
        ({"X_URL": "https://name:port/dev", "AWS_REGION": "r"}, "X_URL.*not like https"),
        ({"X_URL": VPCE, "AWS_REGION": "r", "X_ID": "a/../b"}, "not the id"),
        ({"X_URL": VPCE, "AWS_REGION": "r", "X_HOST": "a b\r\nc"}, "not a host"),
    ],
)
def test_bad_environment(environment: dict[str, str], words: str) -> None:
    """What is missing or unusable is an error that names the variable."""
    with pytest.raises(errors.ConfigurationError, match=words):
        PrivateApi.from_environment("X", environment)


def test_is_a_value() -> None:
    """An API is immutable, compared by what it is, and its URL is normalised."""
    api = PrivateApi(url="HTTPS://Name.Example:443/dev/", region="r")
    assert api == PrivateApi(url="https://name.example/dev", region="r")
    assert hash(api) == hash(PrivateApi(url="https://name.example/dev", region="r"))
    assert api != PrivateApi(url="https://name.example/dev", region="other")
    with pytest.raises(AttributeError):
        api.url = "https://elsewhere.example"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("", VPCE),
        ("/", f"{VPCE}/"),
        ("/members/1", f"{VPCE}/members/1"),
        ("members/1", f"{VPCE}/members/1"),
        ("?q=a/../b", f"{VPCE}?q=a/../b"),
        ("/x?next=https://other.example/", f"{VPCE}/x?next=https://other.example/"),
        ("//other.example/x", f"{VPCE}//other.example/x"),
        ("@other.example", f"{VPCE}/@other.example"),
        (f"{VPCE}/members/1", f"{VPCE}/members/1"),
        ("/...", f"{VPCE}/..."),
        ("/a%2F..%2Fb", f"{VPCE}/a%2F..%2Fb"),
    ],
)
def test_paths_stay_below_the_stage(given: str, url: str) -> None:
    """A path is taken below the stage, whatever it looks like."""
    assert PrivateApi(url=VPCE, region="r").resolve(given) == url


@pytest.mark.parametrize(
    "given",
    [
        "https://other.example/dev/x",
        "http://vpce-1a-2b.execute-api.eu-west-1.vpce.amazonaws.com/dev",
        "https://vpce-1a-2b.execute-api.eu-west-1.vpce.amazonaws.com.evil.example/dev",
        "https://vpce-1a-2b.execute-api.eu-west-1.vpce.amazonaws.com:8443/dev",
        "https://vpce-1a-2b.execute-api.eu-west-1.vpce.amazonaws.com@evil.example/dev",
        "https://user@vpce-1a-2b.execute-api.eu-west-1.vpce.amazonaws.com/dev",
        "file:///etc/passwd",
        "https://[::1/dev",
        "https://name:port/dev",
    ],
)
def test_other_hosts_are_refused(given: str) -> None:
    """A URL of any other scheme, name, port or with a user is not the API's."""
    with pytest.raises(errors.HostRefused):
        PrivateApi(url=VPCE, region="r").resolve(given)


@pytest.mark.parametrize(
    "given", ["/../prod/x", "/a/..", "/%2e%2E/x", "/a/./b", "/a/.%2e?q", "/a#b"]
)
def test_paths_that_lead_elsewhere_are_refused(given: str) -> None:
    """Dot segments and fragments come from ids that nobody quoted."""
    with pytest.raises(errors.PathRefused):
        PrivateApi(url=VPCE, region="r").resolve(given)


@pytest.mark.parametrize("given", ["https://other.example/dev/x", "http://127.0.0.1:1/dev"])
def test_auth_signs_for_no_other_host(
    given: str, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """Nothing is signed or sent to a host that was not named."""
    with pytest.raises(errors.HostRefused):
        requests.get(given, auth=SigV4Auth(api, credentials=keys), timeout=1)
    with pytest.raises(errors.HostRefused):
        api.session(credentials=keys).get(given)
    with pytest.raises(errors.HostRefused):
        api.session(credentials=keys).send(requests.Request("GET", given).prepare())
    assert gateway.received == []


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        (("members", "1"), "/members/1"),
        (("members", 7), "/members/7"),
        (("members", "a/b"), "/members/a%2Fb"),
        (("members", "../x"), "/members/..%2Fx"),
        (("members", "%2F"), "/members/%252F"),
        (("members", "a?b#c"), "/members/a%3Fb%23c"),
        (("members", "Zoë +"), "/members/Zo%C3%AB%20%2B"),
        (("members", "\r\n"), "/members/%0D%0A"),
    ],
)
def test_path_quotes(segments: tuple[object, ...], expected: str) -> None:
    """Each segment is data: it can add neither another nor a query."""
    assert path(*segments) == expected


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_path_refuses(segment: str) -> None:
    """What no encoding can keep a segment is refused."""
    with pytest.raises(ValueError, match="segment"):
        path("members", segment)
