"""What leaves by a socket must verify, whatever the request: both as an auth and as a session."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signing import PrivateApi, SigV4Auth, path

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing import Credentials

    from tests.signing.gateway import Gateway
    from tests.signing.verifier import Wire

UNICODE = "Zoë/ሴ 日本"
REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "space in a parameter": {"params": {"q": "a b"}},
    "plus in a parameter": {"params": {"q": "a+b"}},
    "space, plus and %20 in the URL": {"path": "/x?q=a b+c%20d"},
    "repeated and unsorted": {"params": [("b", "2"), ("a", "2"), ("a", "1"), ("B", "0")]},
    "names that are prefixes": {"params": {"a-": "1", "a": "2", "a.b": "3", "a1": "4", "a%": "5"}},
    "blank values and names": {"path": "/x?flag&empty=&=nameless&z"},
    "stray ampersands": {"path": "/x?&a=1&&b=2&"},
    "= in values": {"path": "/x?q=a=b==&k=%3D"},
    "; in values and path": {"path": "/x;v=1/y?q=a;b"},
    "= and & in a path": {"path": "/x=1&y"},
    "pre-encoded path": {"path": "/a%20b/c%2Fd/%7Etilde/%41"},
    "double-encoded path": {"path": "/a%2520b/%252F"},
    "reserved characters in a path": {"path": "/!$&'()*+,:@-._~"},
    "characters that URLs do not allow": {"path": '/{a}|"<b>^`\\'},
    "a lone percent sign": {"path": "/100%/x?q=5%"},
    "lower-case escapes": {"path": "/%c3%a9?q=%c3%a9"},
    "repeated slashes": {"path": "//a///b//"},
    "trailing slash": {"path": "/a/"},
    "empty path": {"path": ""},
    "a query alone": {"path": "?a=1"},
    "Unicode in the path": {"path": f"/{UNICODE}"},
    "Unicode in the query": {"params": {UNICODE: UNICODE}},
    "not UTF-8 in the query": {"path": "/x?q=%FF%FE"},
    "Unicode in headers": {"headers": {"x-amz-meta-name": UNICODE.encode(), "x-name": b"\xff"}},
    "Latin-1 in a header": {"headers": {"x-amz-meta-name": "Zoë"}},
    "white space in headers": {"headers": {"x-amz-meta-a": "a   b\tc  ", "x-amz-meta-b": "x\xa0"}},
    "an empty header": {"headers": {"x-amz-meta-a": ""}},
    "a percent sign in a header": {"headers": {"x-amz-meta-%s": "100%s %(host)s"}},
    "a content type": {"method": "POST", "data": b"{}", "headers": {"Content-Type": "a/b;c=d"}},
    "an overridden Host": {"headers": {"Host": "abc.execute-api.eu-west-1.amazonaws.com:8443"}},
    "an overridden API": {"headers": {"X-ApiGW-Api-Id": "other"}},
    "an own date and token": {"headers": {"X-Amz-Date": "x", "X-Amz-Security-Token": "y"}},
    "an own Authorization": {"headers": {"Authorization": "Bearer x"}},
    "no body": {"method": "POST"},
    "a body of text": {"method": "POST", "data": UNICODE},
    "a body of bytes": {"method": "PUT", "data": b"\x00\xff" * 5000},
    "a bytearray": {"method": "PUT", "data": bytearray(b"abc")},
    "JSON": {"method": "PATCH", "json": {"name": UNICODE}},
    "a form": {"method": "POST", "data": [("a", "1"), ("a", "b c"), ("ü", "+&=")]},
    "a multipart form": {"method": "POST", "files": {"f": ("n.txt", b"abc")}, "data": {"k": "v"}},
    "DELETE with a body": {"method": "DELETE", "json": []},
    "HEAD": {"method": "HEAD"},
    "OPTIONS": {"method": "OPTIONS"},
    "an unusual method": {"method": "PURGE"},
    "a method in lower case": {"method": "get"},
}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("way", ["auth", "session"])
def test_verifies(
    *,
    way: str,
    name: str,
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """The signature must hold for the bytes that arrived."""
    options = dict(REQUESTS[name])
    method, place = options.pop("method", "GET"), options.pop("path", "/members/1")
    if way == "auth":
        auth = SigV4Auth(api, credentials=keys)
        answer = requests.request(method, api.url + place, auth=auth, timeout=5, **options)
    else:
        answer = api.session(credentials=keys).request(method, place, **options)
    assert answer.ok
    assert verified(gateway.last) == keys.access_key_id


@pytest.mark.parametrize("place", ["/a/../b", "/a/./b", "/a/b/..", "/a/%2e%2e/b", "/.", "/a/%2E"])
def test_dot_segments_verify(
    place: str,
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """Dot segments are signed as API Gateway resolves them (a Session refuses them)."""
    requests.get(api.url + place, auth=SigV4Auth(api, credentials=keys), timeout=5)
    assert verified(gateway.last) == keys.access_key_id


@pytest.mark.parametrize("start", [0, 3])
def test_files_verify(
    start: int,
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """A file is hashed and sent from where it stands."""
    content = b"\x00binary\xff" * 20000
    with tempfile.TemporaryFile() as file:
        file.write(content)
        for body in (file, io.BytesIO(content)):
            body.seek(start)
            api.session(credentials=keys).put("/files/1", data=body)
            assert verified(gateway.last) == keys.access_key_id
            assert gateway.last.body == content[start:]


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
PIECES = st.sampled_from(["%2F", "%252e", "%zz", "%", "+", "&", "=", ";", "/", "//", "é", " ", "~"])
URL_TEXT = st.lists(TEXT | PIECES, max_size=4).map("".join)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    place=URL_TEXT.filter(lambda text: "#" not in text),
    query=URL_TEXT.filter(lambda text: "#" not in text),
    params=st.lists(st.tuples(TEXT, TEXT), max_size=4),
    body=st.binary(max_size=64) | TEXT,
    values=st.lists(st.text("abc  é\t;,%", max_size=8), max_size=3),
)
def test_anything_verifies(
    *,
    place: str,
    query: str,
    params: list[tuple[str, str]],
    body: bytes | str,
    values: list[str],
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """No path, query, parameter, header or body may break the signature."""
    headers = {f"x-amz-meta-{n}": value.strip() for n, value in enumerate(values)}
    answer = requests.post(
        f"{api.url}/x{place}?{query}",
        params=params,
        data=body,
        headers=headers,
        auth=SigV4Auth(api, credentials=keys),
        timeout=5,
    )
    assert answer.ok
    assert verified(gateway.last) == keys.access_key_id


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(member=TEXT.filter(lambda text: text not in {"", ".", ".."}))
def test_ids_stay_one_segment(
    member: str,
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """An id put into a path by `path` must verify, and never change the route."""
    api.session(credentials=keys).get(path("members", member))
    assert verified(gateway.last) == keys.access_key_id
    target = gateway.last.target
    assert target.startswith(b"/dev/members/")
    assert target.count(b"/") == 3
    assert b"?" not in target
