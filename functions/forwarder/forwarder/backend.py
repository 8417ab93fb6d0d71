"""The backend: where requests go, from configuration alone.

Connections are kept for the next request. A request is sent again, once, when a kept connection
ends before any byte of an answer and sending it twice does no more than sending it once.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Self

from forwarder import settings
from forwarder.answer import Answer, message
from forwarder.connection import connect
from forwarder.exchange import Outgoing, exchange
from forwarder.failure import TIMEOUT, FailedError, RefusedError
from forwarder.headers import to_backend, to_caller, without_signature, without_traces
from forwarder.pool import SURE_SECONDS, Pool
from forwarder.settings import ConfigurationError
from forwarder.target import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forwarder.connection import Connection
    from forwarder.event import Request
    from forwarder.exchange import Answered
    from forwarder.identity import Identity
    from forwarder.settings import Settings

__all__ = ["Backend", "ConfigurationError"]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})  # RFC 9110, 9.2.2

logger = logging.getLogger(__name__)


class Backend:
    """One backend and the connections to it; safe to share by threads."""

    def __init__(self, configured: Settings, identity: Identity | None) -> None:
        self._settings = configured
        self._identity = identity
        self._pool = Pool()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """As the function is configured (settings.py). Raises ConfigurationError."""
        configured = settings.read(environment)
        if configured.api is None:
            return cls(configured, None)
        # Loads the signing layer, which other backends need not have.
        from forwarder.identity import Identity  # noqa: PLC0415

        return cls(configured, Identity(configured.api, environment))

    def forward(self, request: Request, seconds: float) -> Answer:
        """The backend's answer, or one that says why there is none.

        `seconds` is what is left of the invocation. Raises ConfigurationError where the function
        has no credentials to sign with.
        """
        began = time.monotonic()
        try:
            return self._forward(request, began + min(seconds, self._settings.seconds))
        except RefusedError as refused:
            _log(f"refused: {refused}", request, refused.status, began)
            answer = message(refused.status, str(refused), request.request_id)
            return Answer(answer.status, answer.headers + refused.headers, answer.body)
        except FailedError as failed:
            text = f"no answer from the backend: {failed.phase}: {failed.kind}"
            _log(text, request, failed.status, began, phase=failed.phase, error=failed.kind)
            return message(failed.status, failed.text, request.request_id)

    def close(self) -> None:
        """Close what is kept."""
        self._pool.close()

    def _forward(self, request: Request, deadline: float) -> Answer:
        if request.method not in METHODS:
            allow = ("Allow", ", ".join(METHODS))
            raise RefusedError("The method is not allowed", status=405, headers=(allow,))
        check(request.path)
        target = f"{self._settings.path}{request.path}" or "/"
        if request.query:
            target = f"{target}?{request.query}"
        headers = to_backend(request)
        if self._identity is not None:
            headers = without_signature(headers)
        outgoing = Outgoing(request.method, target, headers, request.body)
        answered = self._asked(outgoing, deadline)
        head, body = answered.head, answered.body
        if self._identity is None:
            return Answer(head.status, to_caller(head.headers), body)
        refusal = self._identity.refusal(head, body)
        if refusal is None:
            return Answer(head.status, without_traces(to_caller(head.headers)), body)
        details = {"error": refusal.kind, "api_request_id": request.request_id}
        logger.warning("the private API refused the forwarder: %s", refusal.kind, extra=details)
        return message(refusal.status, refusal.text, request.request_id)

    def _asked(self, request: Outgoing, deadline: float) -> Answered:
        is_repeatable = request.method in _REPEATABLE
        kept = self._pool.take() if is_repeatable else self._pool.take(SURE_SECONDS)
        if kept is not None:
            try:
                return self._attempt(kept, request, deadline)
            except FailedError as failed:
                is_stale = failed.is_unanswered and failed.kind != TIMEOUT
                if not is_stale or not is_repeatable:
                    raise
        return self._attempt(self._connected(deadline), request, deadline)

    def _attempt(self, connection: Connection, request: Outgoing, deadline: float) -> Answered:
        connection.deadline = deadline
        is_reusable = False
        try:
            if self._identity is None:
                headers = [("Host", self._settings.authority)]
            else:
                headers = self._identity.signature(request)
            answered = exchange(connection, request, headers)
            is_reusable = answered.is_reusable
        finally:
            if is_reusable:
                self._pool.put(connection)
            else:
                connection.close()
        return answered

    def _connected(self, deadline: float) -> Connection:
        to = self._settings
        until = min(deadline, time.monotonic() + to.connect_seconds)
        return connect(to.host, to.port, until, proxy=to.proxy, tls=to.tls)


def _log(text: str, request: Request, status: int, began: float, **more: str) -> None:
    """One line for a failed call: nothing of its path, query, headers, body, or of the backend."""
    details = {
        **more,
        "api_request_id": request.request_id,
        "method": request.method,
        "status": status,
        "milliseconds": round((time.monotonic() - began) * 1000),
    }
    logger.warning(text, extra=details)
