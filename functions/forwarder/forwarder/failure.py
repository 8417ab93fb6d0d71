"""What can go wrong on the way to the backend and back, and what a caller is told of it."""

from __future__ import annotations

from forwarder.answer import TOO_LARGE

Headers = tuple[tuple[str, str], ...]

CONNECT, TLS, SEND, HEADERS, BODY = "connect", "tls", "send", "headers", "body"
"""The phases of an exchange, as the log names them."""

REFUSED, BACKEND, API = "refused", "backend", "api"
"""Calls without an exchange, with a 5xx of the backend's own, that the private API refused."""

TIMEOUT = "timeout"

_BAD_GATEWAY, _GATEWAY_TIMEOUT = 502, 504
_TEXTS = {
    "name": "The backend's name cannot be resolved",
    "unreachable": "The backend cannot be reached",
    "refused": "The backend refused the connection",
    "proxy": "The proxy on the way to the backend refused the connection",
    "certificate": "The backend's certificate cannot be verified",
    "handshake": "TLS with the backend failed",
    "broken": "The backend broke the connection",
    "closed": "The backend closed the connection before its answer was complete",
    "malformed": "The backend's answer is not valid HTTP",
    "headers too large": "The headers of the backend's answer are too large",
    "too large": TOO_LARGE,
}
_LATE_TEXTS = {
    CONNECT: "The connection to the backend took too long",
    TLS: "TLS with the backend took too long",
    SEND: "The backend took too long to take the request",
    HEADERS: "The backend took too long to answer",
    BODY: "The backend took too long to finish its answer",
}


class RefusedError(ValueError):
    """A request that is not forwarded; the message is for the caller and shows nothing of it."""

    def __init__(self, text: str, *, status: int = 400, headers: Headers = ()) -> None:
        super().__init__(text)
        self.status, self.headers = status, headers


class FailedError(Exception):
    """An exchange that failed in a phase: `kind` is a key of the texts above, or TIMEOUT.

    `reason` is for the log alone, and names no host: which rule an answer breaks, what TLS or the
    system says. `is_unanswered` says that no byte of an answer had come; `is_unread`, that the
    backend cannot have read a byte of the request.
    """

    def __init__(
        self, phase: str, kind: str, reason: str = "", *, is_unanswered: bool = False
    ) -> None:
        super().__init__(phase, kind, reason)
        self.phase, self.kind, self.reason = phase, kind, reason
        self.is_unanswered, self.is_unread = is_unanswered, False

    @property
    def status(self) -> int:
        return _GATEWAY_TIMEOUT if self.kind == TIMEOUT else _BAD_GATEWAY

    @property
    def text(self) -> str:
        return _LATE_TEXTS[self.phase] if self.kind == TIMEOUT else _TEXTS[self.kind]
