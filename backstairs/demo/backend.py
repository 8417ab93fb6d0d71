"""A backend to try the forwarder on: it answers with what it was sent.

What ends in `/moved` has moved, it says, to another path under its own name.

It stands where a load balancer or an instance of the network would, under a name that only the
network knows. Bodies come back as a length and a SHA-256, so that nothing of them is shown.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from backstairs.http.asgi import BodyTooLongError, read_body, send_response
from backstairs.http.servers import send_json

if TYPE_CHECKING:
    from backstairs.http.asgi import Receive, Scope, Send

NAME = "backend.example.internal"
_MAXIMUM_BODY = 10 * 1024 * 1024
_SECRETS = (
    b"authorization",
    b"cookie",
    b"stripe-signature",
    b"x-hub-signature",
    b"x-hub-signature-256",
)
_MOVED = "/moved"


async def demo_backend(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request with 200 (POST: 202) and, in JSON, what arrived."""
    try:
        body = await read_body(receive, _MAXIMUM_BODY)
    except BodyTooLongError:
        await send_json(send, 413, {"message": "too long"})
        return
    except ConnectionError:
        return
    path = scope["raw_path"].decode("latin-1")
    if path.endswith(_MOVED):
        location = f"https://{NAME}{path.removesuffix(_MOVED)}/here"
        await send_response(send, 302, b"", [(b"location", location.encode("latin-1"))])
        return
    headers = [
        [name.decode("latin-1"), "..." if name in _SECRETS else value.decode("latin-1")]
        for name, value in scope["headers"]
    ]
    arrived = {
        "method": scope["method"],
        "path": path,
        "query": scope["query_string"].decode("latin-1"),
        "headers": headers,
        "bodyLength": len(body),
        "bodySha256": hashlib.sha256(body).hexdigest(),
    }
    await send_json(send, 202 if scope["method"] == "POST" else 200, arrived)
