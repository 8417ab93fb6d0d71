"""The hash of a prepared request's body, as it will be on the wire, and streams put into files."""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

from .errors import UnsignableBody
from .retries import can_be_sent_again
from .sigv4 import EMPTY_SHA256

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from requests import PreparedRequest

_CHUNK = 1 << 16
_IN_MEMORY = 1 << 20


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


@contextmanager
def spooled(request: PreparedRequest, most: int | None) -> Iterator[PreparedRequest]:
    """Yield the request, or a copy whose stream was put into a temporary file and hashed.

    The file is in memory up to a megabyte. Raises UnsignableBody for more than `most` bytes;
    nothing is done without `most`, nor to what can be sent again or has a hash from the caller.
    """
    body = request.body
    if most is None or can_be_sent_again(body) or "X-Amz-Content-Sha256" in request.headers:
        yield request
        return
    from tempfile import SpooledTemporaryFile

    with SpooledTemporaryFile(_IN_MEMORY) as file:
        digest, length = sha256(), 0
        for chunk in _chunks(body):
            length += len(chunk)
            if length > most:
                raise UnsignableBody(
                    f"a {type(body).__name__} is longer than {most} bytes, its spool"
                )
            digest.update(chunk)
            file.write(chunk)
        file.seek(0)
        copy = request.copy()
        copy.body, copy._body_position = file, 0  # type: ignore[assignment,attr-defined]
        copy.headers.pop("Transfer-Encoding", None)
        copy.headers["Content-Length"] = str(length)
        copy.headers["X-Amz-Content-Sha256"] = digest.hexdigest()
        yield copy


def _chunks(body: Any) -> Iterator[bytes]:
    if hasattr(body, "read"):
        while chunk := body.read(_CHUNK):
            yield chunk.encode() if isinstance(chunk, str) else chunk
        return
    for chunk in body:
        yield chunk.encode() if isinstance(chunk, str) else chunk


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
        f"a {type(body).__name__} {why}: pass bytes or a binary, seekable file, or let a session "
        "hash a stream first with spool=<most bytes>"
    )
