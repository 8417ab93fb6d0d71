"""Headers on the way to the backend and back."""

from __future__ import annotations

import pytest
from forwarder.failure import RefusedError
from forwarder.headers import to_backend, to_caller, without_signature

from tests.forwarder.subject import request

SET = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "api.example.com",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
    "Via": "1.1 forwarder",
}


def sent(
    *headers: tuple[str, str], method: str = "GET", body: bytes = b""
) -> list[tuple[str, str]]:
    """The headers that go on, but for those that every request gets."""
    all_of_them = to_backend(request(method, headers=headers, body=body))
    assert dict(all_of_them).items() >= SET.items()
    return [pair for pair in all_of_them if pair not in SET.items()]


def test_everything_else_goes_on_unchanged() -> None:
    """Names, order, repetitions, bytes: as they came."""
    headers = (
        ("Accept-Encoding", "br, gzip"),
        ("Cookie", "a=1"),
        ("X-A", "1"),
        ("x-a", "2"),
        ("Authorization", "Bearer abc"),
        ("X-B", "caf\xe9\tx"),
        ("X-Empty", ""),
        ("Referer", "https://evil.example.com/"),
    )
    assert sent(*headers) == list(headers)


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Host",
        "Content-Length",
        "Expect",
        "X-Api-Key",
        "x-apigw-api-id",
        "X-Amz-Security-Token",
        "Forwarded",
        "X-Forwarded-For",
        "X_Forwarded_For",
        "x-forwarded-anything",
        "X-Forwarded-Host",
        "X-Real-IP",
        "X_Real_IP",
        "Via",
        "X-Original-URL",
        "Proxy",
        "X.Forwarded.For",
        "X~Real!IP",
        "Transfer_Encoding",
        "X-Forwarded",
        "Forwarded-For",
        "Client-IP",
        "Client_IP",
        "X-Client-IP",
        "X-Originating-IP",
        "X-Original-Forwarded-For",
        "X-Original-URI",
        "X-Envoy-Original-Path",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X_HTTP_Method_Override",
        "Max-Forwards",
    ],
)
def test_what_stays_behind(name: str) -> None:
    """Headers of this hop, of the edge, and those that claim what only the edge knows."""
    assert sent((name, "x"), (name.upper(), "y"), (name.lower(), "z")) == []


def test_what_connection_names_is_for_this_hop() -> None:
    """Each name in any Connection header goes, and nothing else."""
    headers = (("Connection", "close, X-Hop"), ("connection", "x_hop_2, x.hop.3"), ("X-Keep", "1"))
    assert sent(*headers, ("x-hop", "1"), ("X-Hop-2", "1"), ("X-Hop_3", "1")) == [("X-Keep", "1")]


def test_a_signature_for_the_edge_stays_at_the_edge() -> None:
    """What signed the call to the public API is nobody else's; other credentials go on."""
    assert sent(("Authorization", " AWS4-HMAC-SHA256 Credential=x")) == []
    assert sent(("Authorization", "Basic eA==")) == [("Authorization", "Basic eA==")]


def test_a_caller_without_an_address() -> None:
    """Where the address is not known none is claimed, nor one that no header can hold."""
    for unknown in (None, "", "203.0.113.7\r\nX-A: 1"):
        headers = to_backend(request(headers=(("X-Forwarded-For", "6.6.6.6"),), source_ip=unknown))
        assert "x-forwarded-for" not in [name.lower() for name, _ in headers]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", b"", None),
        ("HEAD", b"", None),
        ("DELETE", b"", None),
        ("OPTIONS", b"", None),
        ("POST", b"", "0"),
        ("PUT", b"", "0"),
        ("PATCH", b"", "0"),
        ("POST", b"abc", "3"),
        ("GET", b"abc", "3"),
        ("DELETE", b"abc", "3"),
    ],
)
def test_the_length_is_that_of_the_body(method: str, body: bytes, length: str | None) -> None:
    """Computed anew, and there whenever a server might otherwise wait for a body."""
    headers = dict(sent(("Content-Length", "999"), method=method, body=body))
    assert headers.get("Content-Length") == length


@pytest.mark.parametrize(
    "header",
    [
        ("X-A", "1\r\nHost: evil.example.com"),
        ("X-A", "1\nX-B: 2"),
        ("X-A", "1\rX-B: 2"),
        ("X-A", "\x00"),
        ("X-A", "\x7f"),
        ("X-A: 1\r\nX-B", "2"),
        ("X A", "1"),
        ("X-A:", "1"),
        ("", "1"),
        ("X-É", "1"),
        ("X-A", "\u20ac"),
        ("Host", "a\r\nb"),
    ],
)
def test_what_cannot_be_sent_is_refused(header: tuple[str, str]) -> None:
    """No header can add another, or end the headers."""
    with pytest.raises(RefusedError, match="A header cannot be sent on"):
        sent(header)


def test_headers_on_the_way_back() -> None:
    """Cookies, redirects, encodings, repetitions come back; what is for this hop does not."""
    kept = (
        ("Location", "http://elsewhere.example.com/"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Content-Encoding", "gzip"),
        ("WWW-Authenticate", "Basic"),
    )
    dropped = (
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "3"),
        ("Date", "now"),
        ("Server", "inside/1.0"),
        ("Trailer", "X-T"),
    )
    assert to_caller(kept + dropped) == kept


def test_nothing_of_a_signature_is_signed_again() -> None:
    """A caller cannot bring x-amz-* headers or an Authorization into a signed call."""
    headers = [
        ("Authorization", "Bearer a"),
        ("X-Amz-Date", "x"),
        ("x_amz_target", "x"),
        ("X.Amz.Date", "x"),
    ]
    assert without_signature([*headers, ("X-Amzn-Trace-Id", "r")]) == [("X-Amzn-Trace-Id", "r")]
