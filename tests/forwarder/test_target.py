"""Paths that might lead elsewhere are refused; all others are left alone."""

from __future__ import annotations

import pytest
from forwarder.failure import RefusedError
from forwarder.target import check


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a/b/",
        "//evil.example.com/x",
        "/@evil.example.com",
        "/http://user:secret@evil.example.com/",
        "/a%2Fb",
        "/a%20b;v=1/...",
        "/.well-known/x",
        "/a.b/..c/c..",
        "/%C3%A9",
        "/%25",
        "/100%25",
        "/a%5Cb",
        "/a%3Fb/c%23",
        "/100%25u",
        "/%E0%A4%85/%F0%9F%98%80",
        "/%20/a%20",
    ],
)
def test_passed(path: str) -> None:
    """However odd, a path without a way out is the backend's to judge."""
    check(path)


@pytest.mark.parametrize(
    "path",
    [
        "/.",
        "/..",
        "/a/../b",
        "/a/./b",
        "/a/%2e%2e/b",
        "/a/%2E./b",
        "/a/.%2e",
        "/a%2F..%2Fb",
        "/a%2f%2e%2e%2fb",
        "/a/%252e%252e/b",
        "/a/%25252e%25252e/b",
        "/a%252F..%252Fb",
        "/a\\..\\b",
        "/a%5C..%5Cb",
        "/a%255c..%255cb",
        "/..;/b",
        "/a/..;v=1/b",
        "/a/%2e%2e%3bv=1/b",
        "/a/.;/b",
        "/..%3fx",
        "/a/..%3F/b",
        "/..%23",
        "/a/..%2523/b",
        "/..%20/b",
        "/%20../b",
        "/a/.%20;v=1/b",
    ],
)
def test_dot_segments(path: str) -> None:
    """Refused plain, encoded once or more, behind either slash, and with a parameter."""
    with pytest.raises(RefusedError, match="segment of dots"):
        check(path)


@pytest.mark.parametrize(
    "path",
    ["/a%0D%0AHost:x", "/a%0a", "/a%00", "/a%250d%250a", "/a\r\nb", "/a\x00", "/%7f", "/a\tb"],
)
def test_controls(path: str) -> None:
    """Refused plain and encoded."""
    with pytest.raises(RefusedError):
        check(path)


@pytest.mark.parametrize(
    "path", ["/%", "/100%", "/%4", "/%zz", "/%u0041", "/a%/b", "/%25u002e%25u002E/a", "/a%25U0041"]
)
def test_broken_escapes(path: str) -> None:
    """What is not two hexadecimal digits is read differently by every server."""
    with pytest.raises(RefusedError, match="not well encoded"):
        check(path)


@pytest.mark.parametrize(
    "path",
    ["/..%c0%af", "/%C0%AE%c0%ae/x", "/%c1%9c", "/%25c0%25ae", "/%e0%80%ae/x", "/%f0%80%80%ae/x"],
)
def test_letters_encoded_in_too_many_bytes(path: str) -> None:
    """No UTF-8, and yet a dot or a slash to a lenient decoder (RFC 3629, 10)."""
    with pytest.raises(RefusedError, match="not well encoded"):
        check(path)


def test_endless_encoding() -> None:
    """What would have to be decoded more often than anybody does is refused."""
    with pytest.raises(RefusedError, match="too many times"):
        check("/%" + "25" * 8 + "41")
