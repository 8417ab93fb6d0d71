"""The backend: where requests go, from configuration alone.

Connections are kept for the next request. A request is sent again, once, when a kept connection
ends before any byte of an answer, and sending it twice does no more than sending it once or the
backend cannot have read it.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Self

from forwarder import settings
from forwarder.answer import Answer, message
from forwarder.connection import connect
from forwarder.exchange import Outgoing, exchange
from forwarder.failure import API, BACKEND, REFUSED, TIMEOUT, FailedError, RefusedError
from forwarder.headers import to_backend, to_caller, without_signature, without_traces
from forwarder.pool import Pool
from forwarder.report import Report
from forwarder.settings import ConfigurationError
from forwarder.target import check, check_query

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
_SERVER_ERROR = 500


class Backend:
    """One backend and the connections to it; safe to share by threads."""

    def __init__(self, configured: Settings, identity: Identity | None, report: Report) -> None:
        self._settings = configured
        self._identity = identity
        self._report = report
        self._pool = Pool()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """As the function is configured (settings.py). Raises ConfigurationError."""
        configured = settings.read(environment)
        report = Report(environment.get("AWS_LAMBDA_FUNCTION_NAME", ""))
        if configured.api is None:
            return cls(configured, None, report)
        # Loads the signing layer, which other backends need not have.
        from forwarder.identity import Identity  # noqa: PLC0415

        return cls(configured, Identity(configured.api, environment), report)

    def forward(self, request: Request, seconds: float) -> Answer:
        """The backend's answer, or one that says why there is none.

        `seconds` is what is left of the invocation. Raises ConfigurationError where the function
        has no credentials to sign with.
        """
        began = time.monotonic()
        try:
            return self._forward(request, began, began + min(seconds, self._settings.seconds))
        except RefusedError as refused:
            text = f"refused: {refused}"
            self._report.failed(text, request, status=refused.status, began=began, phase=REFUSED)
            answer = message(refused.status, str(refused), request.request_id)
            return Answer(answer.status, answer.headers + refused.headers, answer.body)
        except FailedError as failed:
            text = f"no answer from the backend: {failed.phase}: {failed.kind}"
            more = {"error": failed.kind, "reason": failed.reason}
            more = {name: value for name, value in more.items() if value}
            self._report.failed(
                text, request, status=failed.status, began=began, phase=failed.phase, more=more
            )
            return message(failed.status, failed.text, request.request_id)

    def close(self) -> None:
        """Close what is kept."""
        self._pool.close()

    def _forward(self, request: Request, began: float, deadline: float) -> Answer:
        if request.method not in METHODS:
            allow = ("Allow", ", ".join(METHODS))
            raise RefusedError("The method is not allowed", status=405, headers=(allow,))
        check(request.path)
        target = f"{self._settings.path}{request.path}" or "/"
        if request.query:
            target = f"{target}?{request.query}"
        headers = to_backend(request, self._settings.dropped)
        if self._identity is not None:
            check_query(request.query)
            headers = without_signature(headers, self._settings.caller_authorization)
        outgoing = Outgoing(request.method, target, headers, request.body)
        answered = self._asked(outgoing, deadline)
        head, body = answered.head, answered.body
        response_headers = to_caller(head.headers)
        if self._identity is not None:
            refusal = self._identity.refusal(head, body)
            if refusal is not None:
                text = f"the private API refused the forwarder: {refusal.kind}"
                more = {"error": refusal.kind}
                self._report.failed(
                    text, request, status=refusal.status, began=began, phase=API, more=more
                )
                return message(refusal.status, refusal.text, request.request_id)
            response_headers = without_traces(response_headers)
        response_headers = self._settings.inside.outside(
            response_headers, target, request.domain, request.prefix
        )
        if head.status < _SERVER_ERROR:
            self._report.answered(request, head.status, began)
        else:
            text = f"the backend answered {head.status}"
            self._report.failed(text, request, status=head.status, began=began, phase=BACKEND)
        return Answer(head.status, response_headers, body)

    def _asked(self, request: Outgoing, deadline: float) -> Answered:
        is_repeatable = request.method in _REPEATABLE
        kept = self._pool.take(is_repeatable=is_repeatable)
        if kept is not None:
            if not is_repeatable:
                kept.mark()
            try:
                return self._attempt(kept, request, deadline)
            except FailedError as failed:
                is_stale = failed.is_unanswered and failed.kind != TIMEOUT
                if not is_stale or not (is_repeatable or failed.is_unread):
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
