"""The hash of a prepared request's body, as it will be on the wire."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from .errors import UnsignableBody
from .sigv4 import EMPTY_SHA256, UNSIGNED_PAYLOAD

if TYPE_CHECKING:
    from typing import Any

_CHUNK = 1 << 16


def payload_hash(body: Any, *, unsigned: bool = False) -> str:  # noqa: ANN401  any requests body
    """Return the hex SHA-256 of a body: text, bytes, or a file that is put back where it was.

    Raises UnsignableBody for an iterator or a stream that can be read only once.
    """
    if unsigned:
        return UNSIGNED_PAYLOAD
    if not body:
        return EMPTY_SHA256
    if isinstance(body, str):
        return sha256(body.encode()).hexdigest()
    try:
        return sha256(body).hexdigest()
    except TypeError:
        return _file_hash(body)


def _file_hash(body: Any) -> str:  # noqa: ANN401
    try:
        start = body.tell()
        digest = sha256()
        while chunk := body.read(_CHUNK):
            digest.update(chunk.encode() if isinstance(chunk, str) else chunk)
        body.seek(start)
    except (AttributeError, OSError) as error:
        raise UnsignableBody(
            f"a {type(body).__name__} can be read only once, so its hash cannot be signed: "
            "pass bytes or a seekable file, or ask for unsigned_payload"
        ) from error
    return digest.hexdigest()
