"""The little of ASGI that the local run's servers share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]


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
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > limit or not message.get("more_body"):
                break
            message = await receive()
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
    """Send a whole response; its length is added."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, length]},
    )
    await send({"type": "http.response.body", "body": body})
