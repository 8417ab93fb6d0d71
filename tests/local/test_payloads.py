"""Binary bodies and sizes at a REST API, over real sockets."""

from __future__ import annotations

import base64
import gzip
import hashlib
import random

import pytest

from backstairs.runtime.pool import Result
from tests.local.public_door import PublicDoor, api

BINARY = random.Random(5).randbytes(4_000_000)  # noqa: S311 - any bytes will do
EVERYTHING = ("*/*",)
IMAGES = ("image/*",)
HOOKS = "/dev/webhooks/github"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "application/octet-stream")],
        [("Content-Type", "application/json")],
        [("Content-Type", 'multipart/form-data; boundary="x"')],
    ],
)
def test_every_body_is_binary(headers: list[tuple[str, str]]) -> None:
    """With `*/*` any body arrives in base64, byte for byte."""
    with PublicDoor(binary_types=EVERYTHING) as door:
        assert door.call("POST", HOOKS, headers, BINARY).status == 200

        assert door.function.events[0]["isBase64Encoded"] is True
        assert hashlib.sha256(door.body_of()).digest() == hashlib.sha256(BINARY).digest()


@pytest.mark.parametrize(
    ("content_type", "binary"),
    [("image/png", True), ("IMAGE/PNG; q=1", True), ("text/plain", False), ("imageX/png", False)],
)
def test_bodies_of_a_media_type_are_binary(content_type: str, *, binary: bool) -> None:
    """Those that the API lists, whatever their case and parameters."""
    with PublicDoor(binary_types=IMAGES) as door:
        door.call("POST", HOOKS, [("Content-Type", content_type)], b"text")

        assert door.function.events[0]["isBase64Encoded"] is binary
        assert door.body_of() == b"text"


def test_no_body_is_not_binary() -> None:
    """A request without a body has none in the event."""
    with PublicDoor(binary_types=EVERYTHING) as door:
        door.call("POST", HOOKS)

        event = door.function.events[0]
        assert (event["body"], event["isBase64Encoded"]) == (None, False)


@pytest.mark.parametrize(
    ("types", "accept", "decoded"),
    [
        (EVERYTHING, [], True),
        (EVERYTHING, [("Accept", "text/html")], True),
        (IMAGES, [("Accept", "image/png")], True),
        (IMAGES, [("Accept", "image/png;q=0.5, text/html")], True),
        (IMAGES, [("Accept", "text/html, image/png")], False),
        (IMAGES, [("Accept", "*/*")], False),
        (IMAGES, [], False),
        ((), [("Accept", "image/png")], False),
    ],
)
def test_answers_in_base64(
    types: tuple[str, ...], accept: list[tuple[str, str]], *, decoded: bool
) -> None:
    """Decoded with `*/*`, or if the first type of Accept is listed; else sent as they are."""
    said = gzip.compress(b"an answer", mtime=0)
    encoded = base64.b64encode(said)
    with PublicDoor(binary_types=types) as door:
        door.function.answer = {
            "statusCode": 200,
            "headers": {"Content-Encoding": "gzip", "Content-Type": "image/png"},
            "body": encoded.decode(),
            "isBase64Encoded": True,
        }
        answer = door.call("POST", HOOKS, accept)

        assert answer.body == (said if decoded else encoded)
        assert answer.header("content-encoding") == "gzip"
        assert answer.header("content-length") == str(len(answer.body))


def test_an_answer_in_text_stays_text() -> None:
    """Binary media types change nothing for a function that does not say base64."""
    with PublicDoor(binary_types=EVERYTHING) as door:
        door.function.answer = {"statusCode": 200, "body": "dGV4dA=="}

        assert door.call("POST", HOOKS).body == b"dGV4dA=="


@pytest.mark.parametrize("body", ["not base64!", "YQ", "ü"])
def test_an_answer_that_is_not_base64(body: str) -> None:
    """A function that says base64 and sends something else is malformed."""
    with PublicDoor(binary_types=EVERYTHING) as door:
        door.function.answer = {"statusCode": 200, "body": body, "isBase64Encoded": True}
        answer = door.call("POST", HOOKS)

        assert (answer.status, answer.message) == (502, "Internal server error")


@pytest.mark.parametrize(
    ("size", "rule"), [(10 * 1024 * 1024 + 1, "body"), (10 * 1024 * 1024, "event")]
)
def test_bodies_that_are_too_long(size: int, rule: str) -> None:
    """Beyond 10 MB at the API, beyond 6 MB of base64 at the function: 413, and the rule says."""
    with PublicDoor(binary_types=EVERYTHING) as door:
        answer = door.call("POST", HOOKS, [], bytes(size))

        assert (answer.status, answer.message) == (413, "Request Too Long")
        assert answer.header("x-amzn-errortype") == "RequestTooLongException"
        assert door.why()[-1] == rule
        assert door.function.events == []


def test_an_answer_that_is_too_long() -> None:
    """What Lambda reports for it is a function that failed."""
    with PublicDoor() as door:
        door.function.answer = Result(b"{}", "Function.ResponseSizeTooLarge")

        assert door.call("POST", HOOKS).status == 502


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 431)])
def test_headers_that_are_too_large(extra: int, status: int) -> None:
    """Request line and header values have 10240 bytes together, and not one more."""
    line = len(f"POST {HOOKS} HTTP/1.1")
    with PublicDoor() as door:
        host = len(door.api.api_id) + len(".execute-api.us-east-1.amazonaws.com")
        answer = door.call("POST", HOOKS, [("Cookie", "c" * (10_240 - line - host + extra))])

        assert answer.status == status
        if status == 431:
            assert answer.message == "Request Header Fields Too Large"
            assert door.why() == ["headers", "headers-answer"]


def test_headers_that_are_too_large_for_a_private_api() -> None:
    """8000 bytes, which nobody has verified: the rule says so."""
    with PublicDoor(api(private=True)) as door:
        answer = door.call("POST", HOOKS, [("Cookie", "c" * 8000)], port=door.endpoint_port)

        assert answer.status == 431
        assert door.why() == ["private-headers", "headers-answer"]


def test_an_answer_without_anything() -> None:
    """No key of a REST API's answer need be there."""
    with PublicDoor() as door:
        door.function.answer = Result(b"{}")
        answer = door.call("POST", HOOKS)
        assert (answer.status, answer.body) == (200, b"")
