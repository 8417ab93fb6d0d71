"""How much, and for how long, a server listens to one request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one port.

    `head` bytes of a request's head, and of each part of a chunked body that is no content;
    `head_seconds` from a connection's or a request's first byte until the head is whole,
    `body_seconds` from there until the body is.
    """

    head: int = 64 * 1024
    head_seconds: float = 10
    body_seconds: float = 60
