"""Answers, and how a function gives them to API Gateway."""

from __future__ import annotations

import json
from base64 import b64encode
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from forwarder.event import Request

LONGEST = 6 * 1024 * 1024
"""Bytes of JSON that Lambda takes as an answer (Lambda Developer Guide, "Lambda quotas")."""

TOO_LARGE = "The backend's answer is too large to pass on: 6 MB of text, 4.5 MB of anything else"

_SLACK = 1024
# One byte of text may need six in JSON: \u0001.
_WIDEST = 6
_BODILESS = frozenset({int(HTTPStatus.NO_CONTENT), int(HTTPStatus.NOT_MODIFIED)})


class Answer(NamedTuple):
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
    body = b"" if request.method == "HEAD" or answer.status in _BODILESS else answer.body
    headers, names = _gathered(answer)
    if body and "content-type" not in names:
        # API Gateway would call it JSON; nobody knows what it is (RFC 9110, 8.3).
        headers["Content-Type"] = ["application/octet-stream"]
    result: dict[str, Any] = {"statusCode": answer.status}
    if request.payload == "1.0":
        result["multiValueHeaders"] = headers
    else:
        result["cookies"] = headers.pop(names.get("set-cookie", ""), [])
        result["headers"] = {name: ", ".join(values) for name, values in headers.items()}
    text = None if "content-encoding" in names else _text(body)
    if text is not None:
        result["body"], result["isBase64Encoded"] = text, False
        if _fits(result, len(body)):
            return result
    result["body"], result["isBase64Encoded"] = b64encode(body).decode(), True
    if _fits(result, len(body)):
        return result
    return render(message(502, TOO_LARGE, request.request_id), request)


def _gathered(answer: Answer) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Values by name, one spelling for each name; and that spelling by the name in lower case."""
    names: dict[str, str] = {}
    gathered: dict[str, list[str]] = {}
    for name, value in answer.headers:
        gathered.setdefault(names.setdefault(name.lower(), name), []).append(value)
    return gathered, names


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _fits(result: dict[str, Any], length: int) -> bool:
    if length * _WIDEST < LONGEST // 2:
        return True
    return len(json.dumps(result, ensure_ascii=False).encode()) <= LONGEST - _SLACK
