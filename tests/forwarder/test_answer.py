"""Answers as functions give them to API Gateway."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from forwarder.answer import LONGEST, Answer, message, render

from tests.forwarder.subject import request

REST = request()
HTTP = REST._replace(payload="2.0")
MANY = (("Set-Cookie", "a=1"), ("X-A", "1"), ("set-cookie", "b=2"), ("x-a", "2"))


def body_of(rendered: dict[str, Any]) -> bytes:
    text: str = rendered["body"]
    return b64decode(text) if rendered["isBase64Encoded"] else text.encode()


def test_repeated_headers_in_1_0() -> None:
    """Each name once, with all its values."""
    rendered = render(Answer(200, MANY, b""), REST)
    assert rendered["multiValueHeaders"] == {"Set-Cookie": ["a=1", "b=2"], "X-A": ["1", "2"]}
    assert "cookies" not in rendered


def test_repeated_headers_in_2_0() -> None:
    """Values in one line, cookies in a list of their own: a comma would spoil them."""
    rendered = render(Answer(200, MANY, b""), HTTP)
    assert rendered["headers"] == {"X-A": "1, 2"}
    assert rendered["cookies"] == ["a=1", "b=2"]


@pytest.mark.parametrize("to", [REST, HTTP], ids=["1.0", "2.0"])
@pytest.mark.parametrize(
    "body",
    [b"", b"plain", "café\u2028\ufeff".encode(), b"\xff\x00\x01", b"\x00", bytes(range(256))],
)
def test_bodies_arrive_as_they_were(to: Any, body: bytes) -> None:
    """Whatever they are, text or not."""
    assert body_of(render(Answer(200, (), body), to)) == body


@pytest.mark.parametrize("to", [REST, HTTP], ids=["1.0", "2.0"])
def test_a_body_of_no_known_type_is_not_called_json(to: Any) -> None:
    """Left to itself, API Gateway would name a type that nobody has given."""
    named = render(Answer(200, (("content-type", "text/html"),), b"x"), to)
    unnamed, empty = (render(Answer(200, (), body), to) for body in (b"x", b""))
    assert "text/html" in str(named)
    assert "octet-stream" not in str(named)
    assert "application/octet-stream" in str(unnamed)
    assert "octet-stream" not in str(empty)


def test_encoded_content_is_never_text() -> None:
    """A body under a Content-Encoding is base64, even if its bytes look like text."""
    rendered = render(Answer(200, (("content-encoding", "x"),), b"abc"), REST)
    assert rendered["isBase64Encoded"] is True
    assert body_of(rendered) == b"abc"


@pytest.mark.parametrize(
    ("status", "method"), [(204, "GET"), (304, "GET"), (200, "HEAD"), (404, "HEAD")]
)
def test_no_body_where_none_can_be(status: int, method: str) -> None:
    """204, 304 and HEAD have none, whatever was read."""
    assert render(Answer(status, (), b"x"), REST._replace(method=method))["body"] == ""


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"a" * (LONGEST - 4096), 200),
        (b"a" * LONGEST, 502),
        (b"\xff" * (LONGEST * 3 // 4 - 4096), 200),
        (b"\xff" * (LONGEST * 3 // 4), 502),
        # Six letters of JSON for each byte; base64 is shorter.
        (b"\x01" * (LONGEST // 2), 200),
        (b'"' * (LONGEST * 3 // 4), 502),
    ],
    ids=["text", "text too long", "binary", "binary too long", "controls", "quotes too long"],
)
def test_what_lambda_would_not_take(body: bytes, status: int) -> None:
    """An answer of at most 6 MiB of JSON goes through; a longer one is a 502 that says so."""
    rendered = render(Answer(200, (("X-A", "1"),), body), REST)
    assert rendered["statusCode"] == status
    assert len(json.dumps(rendered, ensure_ascii=False).encode()) <= LONGEST
    if status == 200:
        assert body_of(rendered) == body
    else:
        assert "too large" in json.loads(rendered["body"])["message"]


def test_answers_of_its_own() -> None:
    """A message is JSON that names the request."""
    answer = message(504, 'too "late"', "request-1")
    assert (answer.status, answer.headers) == (504, (("Content-Type", "application/json"),))
    assert json.loads(answer.body) == {"message": 'too "late"', "requestId": "request-1"}
