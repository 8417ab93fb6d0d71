"""One request on one connection, and its answer."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from forwarder.failure import BODY, HEADERS, SEND, TIMEOUT, FailedError
from forwarder.reasons import reason
from forwarder.response import Incoming

if TYPE_CHECKING:
    from forwarder.connection import Connection
    from forwarder.response import Head


class Outgoing(NamedTuple):
    """A request as it is sent; `target` in origin-form, `headers` all but those of an attempt."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes


class Answered(NamedTuple):
    """An answer, and whether its connection can take another request."""

    head: Head
    body: bytes
    is_reusable: bool


def exchange(connection: Connection, request: Outgoing, headers: list[tuple[str, str]]) -> Answered:
    """Send a request, these headers first, and read its answer. Raises FailedError."""
    lines = "\r\n".join(map(": ".join, chain(headers, request.headers)))
    start = f"{request.method} {request.target} HTTP/1.1\r\n{lines}\r\n\r\n".encode("latin-1")
    incoming, phase = Incoming(connection.receive), HEADERS
    try:
        connection.send(start + request.body)
        head = incoming.head()
        phase = BODY
        body = incoming.body(request.method, head)
    except TimeoutError:
        raise FailedError(phase if _has_taken(connection, incoming) else SEND, TIMEOUT) from None
    except OSError as error:
        if not _has_taken(connection, incoming):
            phase = SEND
        failed = FailedError(phase, "broken", reason(error), is_unanswered=not incoming.has_begun)
        failed.is_unread = failed.is_unanswered and connection.is_unread()
        raise failed from None
    except FailedError as failed:
        if failed.is_unanswered:
            failed.is_unread = connection.is_unread()
            if not connection.is_taken:
                failed.phase, failed.kind = SEND, "broken"
        raise
    is_over = incoming.is_clean and not head.is_last and not head.is_disputed
    return Answered(head, body, connection.is_taken and is_over)


def _has_taken(connection: Connection, incoming: Incoming) -> bool:
    """Whether the backend has taken the request, or has answered it nevertheless."""
    return connection.is_taken or incoming.has_begun
