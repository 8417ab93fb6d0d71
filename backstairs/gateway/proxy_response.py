"""Lambda proxy integration: a function's answer as an HTTP response.

Source: API Gateway Developer Guide, "Lambda proxy integrations in API Gateway" and "Amazon API
Gateway important notes".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = b"application/json"
WITHOUT_BODY = (204, 304)

# Headers that API Gateway sets itself; a function's own come back under another name.
_REMAPPED = {
    name: f"x-amzn-Remapped-{name}".encode()
    for name in (
        "authorization",
        "connection",
        "content-length",
        "content-md5",
        "date",
        "expect",
        "host",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "te",
        "trailer",
        "upgrade",
        "user-agent",
        "www-authenticate",
    )
}
_DROPPED = {"transfer-encoding"}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class MalformedAnswerError(ValueError):
    """A function's answer is not of the form that a proxy integration takes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response: status, headers, body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def answer(payload: bytes, *, binary: bool = False) -> Answer:
    """A function's answer as a response. Raises MalformedAnswerError, which the caller gets as 502.

    `binary`: what the function says is base64 is sent decoded; otherwise it is sent as it is.
    """
    said = parsed(payload)
    if not isinstance(said, dict):
        raise MalformedAnswerError(f"the answer is a {type(said).__name__}, not an object")
    unknown = said.keys() - {
        "statusCode",
        "headers",
        "multiValueHeaders",
        "body",
        "isBase64Encoded",
    }
    if unknown:
        raise MalformedAnswerError(f"unknown keys {sorted(unknown)}")
    status = status_of({"statusCode": 200} | said)
    headers = answer_headers(object_of(said, "headers"), object_of(said, "multiValueHeaders"))
    if status in WITHOUT_BODY:
        # RFC 9110, sections 15.3.5 and 15.4.5: bytes here would be read as the next answer.
        return Answer(status, headers, b"")
    if not any(name.lower() == b"content-type" for name, _ in headers):
        headers.append((b"content-type", JSON))
    return Answer(status, headers, body_of(said, binary=binary))


def parsed(payload: bytes) -> Any:
    """A function's answer read as JSON. Raises MalformedAnswerError."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedAnswerError(str(error)) from error


def status_of(said: Mapping[str, Any]) -> int:
    """The status of an answer. Raises MalformedAnswerError."""
    try:
        status = int(said["statusCode"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise MalformedAnswerError("statusCode is missing or not a number") from error
    if not 200 <= status <= 599:  # noqa: PLR2004 - what can end a request
        raise MalformedAnswerError(f"statusCode is {status}")
    return status


def body_of(said: Mapping[str, Any], *, binary: bool) -> bytes:
    """The bytes of an answer's body; `binary` decodes base64. Raises MalformedAnswerError."""
    body = said.get("body")
    if body is not None and not isinstance(body, str):
        raise MalformedAnswerError(f"body is a {type(body).__name__}, not a string")
    try:
        sent = (body or "").encode()
        encoded = binary and said.get("isBase64Encoded") is True
        return base64.b64decode(sent, validate=True) if encoded else sent
    except UnicodeEncodeError as error:
        raise MalformedAnswerError("body is not Unicode") from error
    except binascii.Error as error:
        raise MalformedAnswerError("body is not base64") from error


def object_of(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object in an answer, empty where there is none. Raises MalformedAnswerError."""
    value = said.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedAnswerError(f"{name} is a {type(value).__name__}, not an object")
    return value


def answer_headers(
    single: Mapping[str, Any], multiple: Mapping[str, Any]
) -> list[tuple[bytes, bytes]]:
    """An answer's headers as they are sent. Raises MalformedAnswerError for what cannot be."""
    # Both forms are merged; an equal pair in both is sent once (the guide's words on
    # `multiValueHeaders`).
    pairs = [(name, _header_text(one)) for name, many in multiple.items() for one in _listed(many)]
    pairs += [
        pair for name, one in single.items() if (pair := (name, _header_text(one))) not in pairs
    ]
    result = []
    for name, value in pairs:
        if not _TOKEN.fullmatch(name) or _UNSENDABLE.search(value):
            raise MalformedAnswerError(f"header {name!r} cannot be sent")
        if name.lower() not in _DROPPED:
            key = _REMAPPED.get(name.lower()) or name.encode()
            result.append((key, value.encode("latin-1", "replace")))
    return result


def _header_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise MalformedAnswerError(f"a header's value is a {type(value).__name__}")


def _listed(values: object) -> list[object]:
    if not isinstance(values, list):
        raise MalformedAnswerError("a multi-value header is not a list")
    return values
