"""The little of ASGI that the local run's servers share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]


_PATIENCE = 10


class BodyTooLongError(Exception):
    """A body exceeds what its reader accepts."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body. Raises BodyTooLongError beyond `limit` bytes, ConnectionError if cut off."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        chunks = [message.get("body", b"")]
    else:
        chunks = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                raise ConnectionError("the client went away")
            chunk = message.get("body", b"")
            size += len(chunk)
            # What is too long is read on and thrown away, so that the client hears why.
            if size <= limit:
                chunks.append(chunk)
            if size > limit * _PATIENCE or not message.get("more_body"):
                break
            message = await receive()
        if size > limit:
            raise BodyTooLongError
    body: bytes = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if len(body) > limit:
        raise BodyTooLongError
    return body


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of a header; `name` in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


async def send_response(send: Send, status: int, body: bytes = b"", headers: Headers = ()) -> None:
    """Send a whole response; its length is added, except where no body can be."""
    headers = list(headers)
    if status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
