"""The webhooks function: a provider's deliveries in, to the backend what the provider has signed.

    PROVIDER                  who sends them: a name of providers.py
    WEBHOOK_SECRET_PARAMETER  the SecureString with the secrets (webhook_secrets.py)
    WEBHOOK_SECRET_SECONDS    how long they are good for without another read; 300
    DELIVERIES_TABLE          the table of what was forwarded (deliveries.py)
    BACKEND_...               where it goes (backend.py)

What comes of a delivery:

    200      to a greeting (GitHub's ping, Slack's url_verification), which is not forwarded
    400      without the id or the event that the provider's deliveries have
    401      no proof, not one, or of another secret or body, or too old; nothing was forwarded
    404      of another provider's path
    409      the same delivery is being forwarded; not waited for, since its sender may give up
             before that one ends, and what comes of it is told to whom it was sent by
    503      the secrets or the table cannot be had; nothing was forwarded
    others   the backend's answer; a 2xx is remembered and given again, without the backend

A delivery that outlasts its sender's patience is forwarded all the same, and its retry is answered.
"""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, Self

from forwarder import signature
from forwarder.answer import Answer, message, render
from forwarder.backend import Backend, ConfigurationError
from forwarder.clients import client
from forwarder.deliveries import Deliveries, InProgressError, UnavailableError
from forwarder.delivery import UnknownDeliveryError, read_delivery
from forwarder.event import read
from forwarder.providers import PROVIDERS
from forwarder.webhook_secrets import NoSecretsError, WebhookSecrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forwarder.event import Request
    from forwarder.providers import Provider

    class Context(Protocol):
        """What is used of Lambda's context."""

        def get_remaining_time_in_millis(self) -> int: ...


STORE_SECONDS = 2.5
"""What is kept of the function's time to store how a delivery ended."""

LEAST_SECONDS = 0.5
"""What forwarding is not begun without."""

_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """The deliveries of a provider's webhooks, on their way to a backend."""

    provider: Provider
    secrets: WebhookSecrets
    deliveries: Deliveries
    backend: Backend
    clock: Callable[[], float] = time.time

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """As the function is configured. Raises ConfigurationError."""
        name = _required(environment, "PROVIDER")
        if name not in PROVIDERS:
            raise ConfigurationError(f"PROVIDER is none of {', '.join(PROVIDERS)}")
        parameter = _required(environment, "WEBHOOK_SECRET_PARAMETER")
        table = _required(environment, "DELIVERIES_TABLE")
        seconds = environment.get("WEBHOOK_SECRET_SECONDS") or "300"
        if not seconds.isdecimal():
            raise ConfigurationError("WEBHOOK_SECRET_SECONDS is not a whole number of seconds")
        return cls(
            provider=PROVIDERS[name],
            secrets=WebhookSecrets(client("ssm"), parameter, float(seconds)),
            deliveries=Deliveries(client("dynamodb"), table, name),
            backend=Backend.from_environment(environment),
        )

    def receive(self, request: Request, context: Context) -> Answer:
        """Answer a request, whoever sent it."""
        log = {"provider": self.provider.name, "api_request_id": request.request_id}
        try:
            refusal = self._refusal(request)
            if refusal is not None:
                logger.warning("refused: %s", refusal, extra=log)
                return message(401, f"{self.provider.header}: {refusal}", request.request_id)
            delivery = read_delivery(self.provider, request)
        except NoSecretsError:
            return message(503, "Signatures cannot be verified now", request.request_id)
        except UnknownDeliveryError as error:
            logger.warning("refused: no event or no delivery id", extra=log)
            return message(400, str(error), request.request_id)
        log |= {"event": delivery.event or "", "delivery": delivery.delivery_id or ""}
        if delivery.event is not None and delivery.event == self.provider.greeting:
            logger.info("greeted", extra=log)
            return _greeting(delivery.challenge, request)
        return self._deliver(request, delivery.key, log, context)

    def _refusal(self, request: Request) -> str | None:
        """Why a request is not the provider's. Raises NoSecretsError."""
        proof = signature.given(self.provider, request.headers)
        if proof is None or not self._is_proven(proof, request.body):
            return "no valid signature"
        if not signature.is_timely(self.provider, proof, self.clock()):
            return "signed too long ago, or in the future"
        return None

    def _is_proven(self, proof: signature.Proof, body: bytes) -> bool:
        return signature.matches(
            self.provider, proof, body, self.secrets.current()
        ) or signature.matches(self.provider, proof, body, self.secrets.renewed())

    def _deliver(
        self, request: Request, key: str, log: Mapping[str, str], context: Context
    ) -> Answer:
        def forward() -> Answer:
            seconds = context.get_remaining_time_in_millis() / 1000 - STORE_SECONDS
            if seconds < LEAST_SECONDS:
                logger.error("no time is left to forward", extra=log)
                return message(504, "No time is left to forward", request.request_id)
            return self.backend.forward(self._without_secret(request), seconds)

        seconds = context.get_remaining_time_in_millis() / 1000
        try:
            outcome = self.deliveries.once(key, seconds, forward)
        except InProgressError:
            logger.warning("refused: the same delivery is being forwarded", extra=log)
            return message(409, "This delivery is being forwarded", request.request_id)
        except UnavailableError as error:
            why = {**log, "reason": str(error)}
            logger.error("refused: the table of deliveries is not available", extra=why)  # noqa: TRY400 - botocore's text may hold what was sent
            return message(503, "Deliveries cannot be recorded now", request.request_id)
        if outcome.trouble is not None:
            logger.error("how it ended was not stored", extra={**log, "reason": outcome.trouble})
        ended = {**log, "status": outcome.status}
        if outcome.answer is not None:
            logger.info("forwarded", extra=ended)
            return outcome.answer
        logger.info("was forwarded before", extra=ended)
        if outcome.status in _BODILESS:
            return Answer(status=outcome.status, headers=(), body=b"")
        return message(outcome.status, "This delivery was forwarded before", request.request_id)

    def _without_secret(self, request: Request) -> Request:
        """Without the proof where it is the secret: the backend has no use for it."""
        if self.provider.form != "secret":
            return request
        kept = [one for one in request.headers if one[0].lower() != self.provider.header]
        return request._replace(headers=tuple(kept))


def lambda_handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Answer an API Gateway proxy event, 1.0 or 2.0. Raises MalformedEventError."""
    request = read(event)
    try:
        webhooks = _deployed()
    except ConfigurationError as error:
        logger.error("not configured", extra={"reason": str(error)})  # noqa: TRY400 - it says all
        return render(message(500, "Internal server error", request.request_id), request)
    # An HTTP API has no policy that would keep other paths out.
    if (event.get("pathParameters") or {}).get("provider") != webhooks.provider.name:
        logger.warning("refused: another provider's path")
        return render(message(404, "Not found", request.request_id), request)
    return render(webhooks.receive(request, context), request)


@cache
def _deployed() -> Webhooks:
    return Webhooks.from_environment()


def _greeting(challenge: str | None, request: Request) -> Answer:
    if challenge is None:
        return message(200, "pong", request.request_id)
    body = json.dumps({"challenge": challenge}).encode()
    return Answer(200, (("Content-Type", "application/json"),), body)


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise ConfigurationError(f"{name} is missing")
    return value
