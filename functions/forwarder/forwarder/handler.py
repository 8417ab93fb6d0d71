"""The forwarder: partners' calls in, the backend's answers out."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from forwarder.answer import message, render
from forwarder.backend import Backend, ConfigurationError
from forwarder.event import read

if TYPE_CHECKING:

    class Context(Protocol):
        """What is used of Lambda's context."""

        def get_remaining_time_in_millis(self) -> int: ...


MARGIN_SECONDS = 0.5
"""What is kept of the function's time for an answer that says that it was too long."""

logger = logging.getLogger(__name__)


def handle(event: object, context: Context, backend: Backend) -> dict[str, Any]:
    """Answer a proxy event (1.0 or 2.0) with what a backend answers. Raises MalformedEventError."""
    request = read(event)
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    return render(backend.forward(request, seconds), request)


def lambda_handler(event: object, context: Context) -> dict[str, Any]:
    """Forward to the configured backend. Raises MalformedEventError."""
    try:
        return handle(event, context, deployed())
    except ConfigurationError as error:
        logger.error("not configured: %s", error)  # noqa: TRY400 - it says all
        request = read(event)
        return render(message(500, "Internal server error", request.request_id), request)


@cache
def deployed() -> Backend:
    """The backend of the environment, with its connections. Raises ConfigurationError."""
    return Backend.from_environment()
