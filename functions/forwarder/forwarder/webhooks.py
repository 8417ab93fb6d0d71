"""The webhooks function: GitHub's deliveries in, to the backend what GitHub has signed.

    WEBHOOK_SECRET_PARAMETER  the SecureString with the secrets (webhook_secrets.py)
    WEBHOOK_SECRET_SECONDS    how long they are good for without another read; 300
    DELIVERIES_TABLE          the table of what was forwarded (deliveries.py)
    BACKEND_...               where it goes (backend.py); GitHub waits for ten seconds in all

What comes of a delivery:

    200      to a `ping`, which is not forwarded
    400      no X-GitHub-Event or X-GitHub-Delivery, or not one
    401      no signature, not one, or of another secret or body; nothing was forwarded
    409      the same delivery is being forwarded; not waited for, since GitHub's ten seconds may be
             over before that one ends, and what comes of it is told to whom it was sent by
    503      the secrets or the table cannot be had; nothing was forwarded
    others   the backend's answer; a 2xx is remembered and given again, without the backend

Source: GitHub Docs, "Webhook events and payloads" (delivery headers), "Best practices for using
webhooks", "Redelivering webhooks".
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from aws_lambda_powertools import Logger

from forwarder import signature
from forwarder.answer import Answer, message, render
from forwarder.backend import Backend, ConfigurationError
from forwarder.deliveries import Deliveries, InProgressError, UnavailableError
from forwarder.event import read
from forwarder.webhook_secrets import NoSecretsError, WebhookSecrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from forwarder.event import Request

STORE_SECONDS = 2.5
"""What is kept of the function's time to store how a delivery ended."""

LEAST_SECONDS = 0.5
"""What forwarding is not begun without."""

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT)

logger = Logger(service="webhooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """The deliveries of GitHub's webhooks, on their way to a backend."""

    secrets: WebhookSecrets
    deliveries: Deliveries
    backend: Backend

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """As the function is configured. Raises ConfigurationError."""
        parameter = _required(environment, "WEBHOOK_SECRET_PARAMETER")
        table = _required(environment, "DELIVERIES_TABLE")
        seconds = environment.get("WEBHOOK_SECRET_SECONDS") or "300"
        if not seconds.isdecimal():
            raise ConfigurationError("WEBHOOK_SECRET_SECONDS is not a whole number of seconds")
        return cls(
            secrets=WebhookSecrets(_client("ssm"), parameter, float(seconds)),
            deliveries=Deliveries(_client("dynamodb"), table),
            backend=Backend.from_environment(environment),
        )

    def receive(self, request: Request, context: LambdaContext) -> Answer:
        """Answer a request, whoever sent it."""
        try:
            is_signed = self._is_signed(request)
        except NoSecretsError:
            return message(503, "Signatures cannot be verified now", request.request_id)
        if not is_signed:
            logger.warning("refused: no valid signature")
            return message(401, "X-Hub-Signature-256 is not valid", request.request_id)
        event, delivery_id = (
            _token(request, name) for name in ("X-GitHub-Event", "X-GitHub-Delivery")
        )
        if event is None or delivery_id is None:
            logger.warning("refused: no event or no delivery id")
            text = "X-GitHub-Event and X-GitHub-Delivery must be given, once each"
            return message(400, text, request.request_id)
        logger.append_keys(github_event=event, delivery=delivery_id)
        if event == "ping":
            logger.info("pong")
            return message(200, "pong", request.request_id)
        return self._deliver(request, delivery_id, context)

    def _is_signed(self, request: Request) -> bool:
        digest = signature.given(request.headers)
        if digest is None:
            return False
        return signature.matches(digest, request.body, self.secrets.current()) or signature.matches(
            digest, request.body, self.secrets.renewed()
        )

    def _deliver(self, request: Request, delivery_id: str, context: LambdaContext) -> Answer:
        def forward() -> Answer:
            seconds = context.get_remaining_time_in_millis() / 1000 - STORE_SECONDS
            if seconds < LEAST_SECONDS:
                logger.error("no time is left to forward")
                return message(504, "No time is left to forward", request.request_id)
            return self.backend.forward(request, seconds)

        try:
            outcome = self.deliveries.once(delivery_id, request.body, context, forward)
        except InProgressError:
            logger.warning("refused: the same delivery is being forwarded")
            return message(409, "This delivery is being forwarded", request.request_id)
        except UnavailableError as error:
            logger.error("refused: the table of deliveries is not available", reason=str(error))  # noqa: TRY400 - botocore's text may hold what was sent
            return message(503, "Deliveries cannot be recorded now", request.request_id)
        if outcome.trouble is not None:
            logger.error("how it ended was not stored", reason=outcome.trouble)
        if outcome.answer is not None:
            logger.info("forwarded", status=outcome.status)
            return outcome.answer
        logger.info("was forwarded before", status=outcome.status)
        if outcome.status in _BODILESS:
            return Answer(status=outcome.status, headers=(), body=b"")
        return message(outcome.status, "This delivery was forwarded before", request.request_id)


# Whatever the environment says: an event holds a body and its signature.
@logger.inject_lambda_context(clear_state=True, log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer an API Gateway proxy event, 1.0 or 2.0. Raises MalformedEventError."""
    request = read(event)
    try:
        webhooks = _deployed()
    except ConfigurationError as error:
        logger.error("not configured", reason=str(error))  # noqa: TRY400 - it says all
        return render(message(500, "Internal server error", request.request_id), request)
    return render(webhooks.receive(request, context), request)


@cache
def _deployed() -> Webhooks:
    return Webhooks.from_environment()


def _client(service: str) -> Any:
    # Imported here, so that whoever brings clients of their own, as tests do, does not wait.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    # At DEBUG, which a function can be set to, it logs the answers: the secrets too.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    # GitHub waits for ten seconds. A write that is sent again would meet its own mark.
    attempts = 1 if service == "dynamodb" else 2
    patience = Config(
        connect_timeout=1,
        read_timeout=2 if service == "dynamodb" else 1,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    return boto3.client(service, config=patience)


def _token(request: Request, name: str) -> str | None:
    """A header's value, where it was given once and can stand in a log line."""
    values = [value for given, value in request.headers if given.lower() == name.lower()]
    return values[0] if len(values) == 1 and _TOKEN.fullmatch(values[0]) else None


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise ConfigurationError(f"{name} is missing")
    return value
