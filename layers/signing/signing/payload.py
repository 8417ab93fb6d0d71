"""The hash of a prepared request's body, as it will be on the wire."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from .errors import UnsignableBody
from .sigv4 import EMPTY_SHA256

if TYPE_CHECKING:
    from typing import Any

    from requests import PreparedRequest

_CHUNK = 1 << 16


def payload_hash(request: PreparedRequest) -> str:
    """Return the hex SHA-256 of the body: text, bytes, or a file, which is put back where it was.

    Raises UnsignableBody for what can be read only once, and for text of another length than was
    announced for it.
    """
    body: Any = request.body
    if body is None:
        return EMPTY_SHA256
    if isinstance(body, str):
        return sha256(body.encode()).hexdigest()
    if isinstance(body, bytes):
        return sha256(body).hexdigest()
    if not hasattr(body, "read"):
        try:
            return sha256(body).hexdigest()
        except TypeError:
            raise _unsignable(body, "can be read only once") from None
    return _file_hash(body, request.headers.get("Content-Length"))


def _file_hash(body: Any, announced: str | None) -> str:
    digest, length = sha256(), 0
    try:
        start = body.tell()
        while chunk := body.read(_CHUNK):
            sent = chunk.encode() if isinstance(chunk, str) else chunk
            digest.update(sent)
            length += len(sent)
        body.seek(start)
    except (AttributeError, OSError) as error:
        raise _unsignable(body, "can be read only once") from error
    if announced is not None and length != int(announced):
        raise _unsignable(body, f"is sent as {length} bytes, not the {announced} announced")
    return digest.hexdigest()


def _unsignable(body: object, why: str) -> UnsignableBody:
    return UnsignableBody(
        f"a {type(body).__name__} {why}: pass bytes or a binary, seekable file, or ask for "
        "unsigned_payload"
    )
