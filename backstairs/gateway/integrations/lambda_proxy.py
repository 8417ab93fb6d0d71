"""An admitted request and its function: the event there, the answer back, and what fails between.

By the API's kind: payload 1.0 of a REST API, 2.0 of an HTTP API.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backstairs.access import Kind, refusals
from backstairs.access.refusals import Refusal
from backstairs.gateway import payload_1, payload_2, quotas
from backstairs.gateway.gateway_responses import own_answers
from backstairs.gateway.media_types import answer_is_binary
from backstairs.gateway.proxy_response import MalformedAnswerError, answer
from backstairs.runtime.pool import MAXIMUM_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access import Api, Decision, WireRequest
    from backstairs.gateway.proxy_response import Answer
    from backstairs.gateway.stage import StageSettings
    from backstairs.runtime.pool import Pool, Result


class Integrations:
    """The functions behind the APIs; `pools` by function ARN."""

    def __init__(self, pools: Mapping[str, Pool]) -> None:
        self._pools = pools
        self._running: set[asyncio.Task[Result]] = set()

    async def run(
        self,
        request: WireRequest,
        entry: payload_1.Entry,
        settings: StageSettings,
        admitted: Decision,
    ) -> tuple[Decision, Answer | Refusal]:
        """Let an admitted request through, unless it is invalid or too large for its function."""
        pool = self._pool(request, entry, settings)
        if isinstance(pool, Refusal):
            return admitted, pool
        http = entry.api.kind is Kind.HTTP
        event = payload_2.event(request, entry) if http else payload_1.event(request, entry)
        if len(event) > MAXIMUM_PAYLOAD:
            decision = quotas.refuse_event(admitted, entry.api, len(event), MAXIMUM_PAYLOAD)
            return decision, own_answers(entry.api).too_long
        limit = own_answers(entry.api).seconds
        own = settings.timeouts.get((entry.route.method, entry.route.path), limit)
        result = await self._invoke(pool, event, entry.trace_id, min(own, limit))
        if result is None:
            return admitted, own_answers(entry.api).timed_out
        binary = answer_is_binary(settings.binary_types, request)
        return admitted, _answered(result, entry.api, binary=binary)

    def _pool(
        self, request: WireRequest, entry: payload_1.Entry, settings: StageSettings
    ) -> Pool | Refusal:
        """The function's workers, or why the request does not come to them."""
        place = (entry.route.method, entry.route.path)
        validator = settings.validators.get(place)
        invalid = validator.refuse(request) if validator else None
        if invalid is not None:
            return invalid
        if place in settings.not_modelled:
            return refusals.undecided(settings.not_modelled[place])
        # By the function, whichever alias or version the method names.
        pool = self._pools.get(":".join((entry.route.function or "").split(":")[:7]))
        return pool or refusals.undecided("the integration is not a function of this account")

    async def _invoke(
        self, pool: Pool, event: bytes, trace_id: str, seconds: float
    ) -> Result | None:
        # The function goes on when API Gateway no longer waits for it.
        running = asyncio.create_task(pool.invoke(event, trace_id))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait({running}, timeout=seconds)
        return running.result() if done else None


def _answered(result: Result, api: Api, *, binary: bool) -> Answer | Refusal:
    if result.error is None:
        try:
            if api.kind is Kind.HTTP:
                return payload_2.answer(result.payload)
            return answer(result.payload, binary=binary)
        except MalformedAnswerError:
            pass
    return own_answers(api).failed
