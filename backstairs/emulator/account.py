"""The ASGI application: MiniStack with its adapters, and our own endpoints.

- `GET /_backstairs/health`: 200 once the account answers.
- `GET /_backstairs/access-keys/{id}`: whose key it is, with its secret; 404 for an unknown one.
- `GET /_backstairs/principals`: every role and user with its policies; `ETag`/`If-None-Match`.
- `GET /_backstairs/notices`: what was deployed and has no effect here.
- `PUT /_backstairs/snapshot`: put the state away in the file that the account was started with.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ministack.app import app as ministack

from backstairs.emulator import adapters, identities, notices
from backstairs.emulator.settings import ACCOUNT_ID, SNAPSHOT_FILE
from backstairs.emulator.snapshot import SnapshotError, Snapshots

if TYPE_CHECKING:
    from backstairs.http.asgi import Receive, Scope, Send

_OWN = "/_backstairs/"
_ACCESS_KEYS = _OWN + "access-keys/"
_SNAPSHOT = _OWN + "snapshot"
# MiniStack's own side doors (reset, configuration, mail boxes) check no credentials. What stands
# for a presigned S3 address on AWS has its path there too, and stays open.
_CLOSED = ("/_ministack/", "/_localstack/")
_PRESIGNED = (
    "/_ministack/cfn-response/",
    "/_ministack/cfn-signal/",
    "/_ministack/lambda-code/",
    "/_ministack/lambda-layers/",
)
_LOOPBACK = "127.0.0.1"

adapters.install()
snapshots = Snapshots()


async def account(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve our endpoints to loopback clients and leave everything else to MiniStack."""
    path = scope.get("path", "")
    ours = path.startswith((_OWN, *_CLOSED)) and not path.startswith(_PRESIGNED)
    if scope["type"] != "http" or not ours:
        # The server ends without waiting for MiniStack to say goodbye.
        with contextlib.suppress(asyncio.CancelledError):
            await ministack(scope, receive, send)
        return
    headers = {name.lower(): value for name, value in scope["headers"]}
    status, body, etag = _answer(scope, path, headers)
    answer_headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if etag is not None:
        answer_headers.append((b"etag", etag))
    if status != HTTPStatus.NOT_MODIFIED:
        answer_headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": answer_headers})
    await send({"type": "http.response.body", "body": body})


def _answer(
    scope: Scope, path: str, headers: dict[bytes, bytes]
) -> tuple[int, bytes, bytes | None]:
    client = (scope.get("client") or ("",))[0]
    # A page in a browser reaches 127.0.0.1 too, but only under the name it was loaded from.
    named = headers.get(b"host", b"").decode("latin-1").partition(":")[0]
    if client != _LOOPBACK or named != _LOOPBACK:
        return HTTPStatus.NOT_FOUND, b"{}", None
    if path == _SNAPSHOT and scope["method"] == "PUT":
        return _put_away()
    found = _find(path)
    if found is None:
        return HTTPStatus.NOT_FOUND, b"{}", None
    if scope["method"] != "GET":
        return HTTPStatus.METHOD_NOT_ALLOWED, b"{}", None
    body = json.dumps(found, separators=(",", ":")).encode()
    etag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
    if headers.get(b"if-none-match") == etag:
        return HTTPStatus.NOT_MODIFIED, b"", etag
    return HTTPStatus.OK, body, etag


def _put_away() -> tuple[int, bytes, None]:
    place = os.environ.get(SNAPSHOT_FILE)
    if place is None:
        return HTTPStatus.CONFLICT, b'{"message":"this account was started without a file"}', None
    try:
        snapshots.write(Path(place))
    except (SnapshotError, OSError) as error:
        body = json.dumps({"message": str(error)}).encode()
        return HTTPStatus.INTERNAL_SERVER_ERROR, body, None
    return HTTPStatus.OK, b"{}", None


def _find(path: str) -> dict[str, Any] | None:
    if path.startswith(_ACCESS_KEYS):
        return identities.access_key(path.removeprefix(_ACCESS_KEYS))
    if path == _OWN + "principals":
        return {"principals": identities.principals()}
    if path == _OWN + "notices":
        return {"notices": notices.noted()}
    if path == _OWN + "health":
        return {"account": ACCOUNT_ID}
    return None
