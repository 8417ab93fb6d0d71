"""Answers, and how a function gives them to API Gateway."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forwarder.event import Request

LONGEST = 6 * 1024 * 1024
"""Bytes of JSON that Lambda takes as an answer (Lambda Developer Guide, "Lambda quotas")."""

TOO_LARGE = "The backend's answer is too large to pass on: 6 MB of text, 4.5 MB of anything else"

_SLACK = 1024
# One byte of text may need six in JSON: \u0001.
_WIDEST = 6
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `headers` are Latin-1 text, repeated names repeated."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def message(status: int, text: str, request_id: str) -> Answer:
    """An answer of the function's own: `{"message": ..., "requestId": ...}`."""
    body = json.dumps({"message": text, "requestId": request_id}).encode()
    return Answer(status, (("Content-Type", "application/json"),), body)


def render(answer: Answer, request: Request) -> dict[str, Any]:
    """What the function returns, in the format of the request's own event.

    A body is text where it is UTF-8 and not encoded, else base64: both arrive as they were. One
    that Lambda would not take, at about 6 MB of text or 4.5 MB of anything else, becomes a 502.
    """
    result: dict[str, Any] = {"statusCode": answer.status}
    if request.payload == "1.0":
        result["multiValueHeaders"] = _gathered(answer)
    else:
        headers = _gathered(answer)
        cookies = [headers.pop(name) for name in list(headers) if name.lower() == "set-cookie"]
        result["headers"] = {name: ", ".join(values) for name, values in headers.items()}
        result["cookies"] = [cookie for values in cookies for cookie in values]
    body = b"" if request.method == "HEAD" or answer.status in _BODILESS else answer.body
    for form in _forms(answer, body):
        if _fits(result | form, len(body)):
            return result | form
    return render(message(502, TOO_LARGE, request.request_id), request)


def _gathered(answer: Answer) -> dict[str, list[str]]:
    """Values by name, one spelling for each name."""
    names: dict[str, str] = {}
    gathered: dict[str, list[str]] = {}
    for name, value in answer.headers:
        gathered.setdefault(names.setdefault(name.lower(), name), []).append(value)
    return gathered


def _forms(answer: Answer, body: bytes) -> Iterator[dict[str, Any]]:
    is_encoded = any(name.lower() == "content-encoding" for name, _ in answer.headers)
    text = None if is_encoded else _text(body)
    if text is not None:
        yield {"body": text, "isBase64Encoded": False}
    yield {"body": b64encode(body).decode(), "isBase64Encoded": True}


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _fits(result: dict[str, Any], length: int) -> bool:
    if length * _WIDEST < LONGEST // 2:
        return True
    return len(json.dumps(result, ensure_ascii=False).encode()) <= LONGEST - _SLACK
