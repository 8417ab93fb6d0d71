"""An admitted request and its function: the event there, the answer back, and what fails between.

By the API's kind: payload 1.0 of a REST API, 2.0 of an HTTP API.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

from backstairs.access import Kind, Reason
from backstairs.access.refusals import UNDECIDED
from backstairs.gateway import payload_1, payload_2, quotas, rules
from backstairs.gateway.gateway_responses import gateway_responses_of
from backstairs.gateway.media_types import answer_is_binary
from backstairs.gateway.outcome import By, Outcome, refused
from backstairs.gateway.proxy_response import MalformedAnswerError, answer
from backstairs.runtime.pool import MAXIMUM_PAYLOAD, NotRunError, unqualified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access import Api, Decision
    from backstairs.access.refusals import Refusal
    from backstairs.gateway.method_request import MethodRequest
    from backstairs.gateway.validation import RequestValidator
    from backstairs.runtime.pool import Pool, Result

_log = logging.getLogger(__name__)


class Integrations:
    """The functions behind the APIs; `pools` by function ARN."""

    def __init__(self, pools: Mapping[str, Pool]) -> None:
        self._pools = pools
        self._running: set[asyncio.Task[Result]] = set()

    async def run(self, request: MethodRequest, admitted: Decision) -> Outcome:
        """Let an admitted request through, unless it is invalid or too large for its function."""
        validator, integration = request.method.validator, request.method.integration
        invalid = validator.refuse(request.wire) if validator else None
        if validator is not None and invalid is not None:
            return _invalid(admitted, validator, invalid)
        pool = self._pools.get(unqualified(request.route.function or ""))
        why = integration.why_not_modelled
        if why is not None or pool is None:
            why = why or "the integration is not a function of this account"
            return refused(admitted.unknown(why), By.INTEGRATION)
        own = gateway_responses_of(request.api)
        http = request.api.kind is Kind.HTTP
        event = payload_2.event(request) if http else payload_1.event(request)
        if len(event) > MAXIMUM_PAYLOAD:
            too_long = quotas.refuse_event(admitted, request.api, len(event), MAXIMUM_PAYLOAD)
            return refused(too_long, By.LIMITS)
        seconds = min(integration.timeout or own.seconds, own.seconds)
        try:
            result = await self._invoke(pool, event, request.trace_id, seconds)
        except OSError as error:
            _log.warning("request %s: no worker for the function: %s", request.request_id, error)
            failed = "the function's worker could not be started"
            why = str(error) if isinstance(error, NotRunError) else failed
            return refused(admitted.unknown(why), By.INTEGRATION)
        if result is None:
            over = Reason(own.timed_out_by, f"the function has not answered within {seconds:g} s")
            return Outcome(admitted.because(over), own.timed_out, By.INTEGRATION)
        binary = answer_is_binary(request.stage.binary_types, request.wire)
        return _answered(result, request.api, admitted, binary=binary)

    async def _invoke(
        self, pool: Pool, event: bytes, trace_id: str, seconds: float
    ) -> Result | None:
        # The function goes on when API Gateway no longer waits for it.
        running = asyncio.create_task(pool.invoke(event, trace_id))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait({running}, timeout=seconds)
        return running.result() if done else None


def _invalid(admitted: Decision, validator: RequestValidator, answer: Refusal) -> Outcome:
    if answer.status == UNDECIDED:
        return refused(admitted.unknown(_said(answer)), By.VALIDATION)
    why = "the body does not fit its model" if answer is validator.bad_body else _said(answer)
    return refused(admitted.refused(Reason(rules.VALIDATION, why), answer), By.VALIDATION)


def _said(answer: Refusal) -> str:
    message: str = json.loads(answer.body)["message"]
    return message


def _answered(result: Result, api: Api, admitted: Decision, *, binary: bool) -> Outcome:
    own = gateway_responses_of(api)
    if result.error is not None:
        why = Reason(own.failed_by, f"the function ended with {result.error}")
        return Outcome(admitted.because(why), own.failed, By.INTEGRATION)
    try:
        if api.kind is Kind.HTTP:
            return Outcome(admitted, payload_2.answer(result.payload), By.FUNCTION)
        return Outcome(admitted, answer(result.payload, binary=binary), By.FUNCTION)
    except MalformedAnswerError as error:
        why = Reason(own.malformed_by, f"the function's answer: {error}")
        return Outcome(admitted.because(why), own.failed, By.INTEGRATION)
