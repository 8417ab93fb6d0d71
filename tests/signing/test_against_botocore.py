"""The core against botocore, where botocore is right; the verifier against botocore too."""

from __future__ import annotations

import http.client
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st
from signing.sigv4 import Credentials, sign

from tests.signing.verifier import Secret, Wire, WrongSignatureError, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.signing.gateway import Gateway

TEXT = st.text(st.characters(codec="utf-8"), max_size=10)
SEGMENTS = st.lists(TEXT.filter(lambda text: text not in {".", ".."}), max_size=4)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=4)
VALUES = st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10))


@settings(deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    segments=SEGMENTS,
    pairs=PAIRS,
    values=VALUES,
    body=st.binary(max_size=100),
    secret=st.text(st.characters(codec="ascii"), min_size=1, max_size=100),
    token=st.none() | st.text("abc+/=", min_size=1),
)
def test_same_authorization(
    *,
    method: str,
    segments: list[str],
    pairs: list[tuple[str, str]],
    values: list[str],
    body: bytes,
    secret: str,
    token: str | None,
) -> None:
    """For encoded URLs and ASCII headers both must give the same Authorization."""
    path = "/".join(quote(segment, safe="") for segment in segments)
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    url = f"https://api.example.com:8443/{path}" + (f"?{query}" if query else "")
    headers = {f"x-amz-meta-{n}": value for n, value in enumerate(values)}
    headers["content-type"] = "application/json"
    theirs = AWSRequest(method, url, headers=headers, data=body)
    SigV4Auth(BotoCredentials("AKID", secret, token), "execute-api", "eu-west-1").add_auth(theirs)
    moment = datetime.strptime(theirs.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    ours = sign(
        method=method,
        url=url,
        headers=headers.items(),
        body=body,
        credentials=Credentials(
            access_key_id="AKID", secret_access_key=secret, session_token=token
        ),
        region="eu-west-1",
        service="execute-api",
        at=moment.timestamp(),
    )
    assert ours["Authorization"] == theirs.headers["Authorization"]
    assert ours["X-Amz-Date"] == theirs.headers["X-Amz-Date"]


def by_botocore(gateway: Gateway, keys: Credentials) -> Wire:
    """Let botocore sign a request, http.client send it, and return what arrived."""
    request = AWSRequest(
        "POST",
        f"{gateway.url}/dev/x%20y?b=2&a=%C3%BC&a=",
        headers={"x-amz-meta": "a  b"},
        data="{}",
    )
    boto_keys = BotoCredentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
    SigV4Auth(boto_keys, "execute-api", "eu-west-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    connection.request("POST", "/dev/x%20y?b=2&a=%C3%BC&a=", "{}", dict(request.headers.items()))
    connection.getresponse().read()
    connection.close()
    return gateway.last


def test_verifier_accepts_botocore(
    gateway: Gateway, keys: Credentials, verified: Callable[[Wire], str]
) -> None:
    """The verifier must accept a signature that this project had no part in."""
    assert verified(by_botocore(gateway, keys)) == keys.access_key_id


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("method", b"PUT"),
        ("target", b"/dev/x%20z?b=2&a=%C3%BC&a="),
        ("target", b"/dev/x%20y?b=2&a=%C3%BC"),
        ("body", b"{ }"),
    ],
)
def test_verifier_refuses_what_was_changed(
    part: str, value: bytes, gateway: Gateway, keys: Credentials, verified: Callable[[Wire], str]
) -> None:
    """The verifier must notice each part of a request that changed on the way."""
    wire = by_botocore(gateway, keys)
    with pytest.raises(WrongSignatureError):
        verified(Wire(**{**vars(wire), part: value}))


@pytest.mark.parametrize(
    "change",
    [
        lambda headers: [(k, v + b"x" if k == b"x-amz-meta" else v) for k, v in headers],
        lambda headers: [(k, v) for k, v in headers if k != b"x-amz-meta"],
        lambda headers: [*headers, (b"x-amz-extra", b"1")],
        lambda headers: [*headers, (b"Host", b"other")],
        lambda headers: [*headers, *(pair for pair in headers if pair[0] == b"Authorization")],
    ],
    ids=["value", "removed", "added", "host twice", "authorization twice"],
)
def test_verifier_refuses_changed_headers(
    change: Callable[[list[tuple[bytes, bytes]]], list[tuple[bytes, bytes]]],
    gateway: Gateway,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """The verifier must notice headers changed, removed or added, where that matters."""
    wire = by_botocore(gateway, keys)
    with pytest.raises(WrongSignatureError):
        verified(Wire(**{**vars(wire), "headers": tuple(change(list(wire.headers)))}))


@pytest.mark.parametrize(
    ("secret", "region", "year"),
    [
        (Secret("other", "made/up+token=="), "eu-west-1", 2026),
        (Secret("made/up+secret", "other"), "eu-west-1", 2026),
        (Secret("made/up+secret", "made/up+token=="), "eu-west-2", 2026),
        (Secret("made/up+secret", "made/up+token=="), "eu-west-1", 2020),
    ],
    ids=["secret", "token", "region", "date"],
)
def test_verifier_refuses_strangers(
    secret: Secret, region: str, year: int, gateway: Gateway, keys: Credentials
) -> None:
    """The verifier must refuse another secret, token, region or date."""
    wire = by_botocore(gateway, keys)
    now = None if year != 2020 else datetime(year, 1, 1, tzinfo=UTC)
    with pytest.raises(WrongSignatureError):
        verify(wire, {keys.access_key_id: secret}, region=region, now=now)
