"""One request on one connection, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forwarder.failure import BODY, HEADERS, SEND, TIMEOUT, FailedError
from forwarder.response import Incoming

if TYPE_CHECKING:
    from forwarder.connection import Connection
    from forwarder.response import Head


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it is sent; `target` in origin-form, `headers` all but those of an attempt."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and whether its connection can take another request."""

    head: Head
    body: bytes
    is_reusable: bool


def exchange(connection: Connection, request: Outgoing, headers: list[tuple[str, str]]) -> Answered:
    """Send a request, these headers first, and read its answer. Raises FailedError."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in [*headers, *request.headers]])
    start = f"{request.method} {request.target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
    # A backend may answer before it has taken all, and close.
    was_taken = _send(connection, start + request.body)
    incoming, phase = Incoming(connection.receive), HEADERS if was_taken else SEND
    try:
        head = incoming.head()
        phase = BODY
        body = incoming.body(request.method, head)
    except TimeoutError:
        raise FailedError(phase, TIMEOUT) from None
    except OSError:
        raise FailedError(phase, "broken", is_unanswered=not incoming.has_begun) from None
    except FailedError as failed:
        if was_taken or not failed.is_unanswered:
            raise
        raise FailedError(SEND, "broken", is_unanswered=True) from None
    is_over = incoming.is_clean and not head.is_last and not head.is_disputed
    return Answered(head, body, was_taken and is_over)


def _send(connection: Connection, data: bytes) -> bool:
    try:
        connection.send(data)
    except TimeoutError:
        raise FailedError(SEND, TIMEOUT) from None
    except OSError:
        return False
    return True
