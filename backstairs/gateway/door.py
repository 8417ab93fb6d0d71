"""The door: API Gateway's part in front of the functions.

It proves who calls, asks `backstairs.access` for the decision, counts the call against its limits,
and only then lets a function see the request. Every decision is kept with its reasons, for
`backstairs call` and whoever meets a 403.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backstairs.access import (
    Call,
    Decision,
    Verdict,
    WireRequest,
    decide,
    refusals,
)
from backstairs.gateway import payload_1, quotas
from backstairs.gateway.authentication import NoKeys, Offered, Proof, Proofs
from backstairs.gateway.decisions import Decisions, Record
from backstairs.gateway.gateway_responses import send_answer
from backstairs.gateway.integrations.lambda_proxy import Integrations
from backstairs.gateway.media_types import request_is_binary
from backstairs.gateway.stage import StageSettings
from backstairs.gateway.trace import trace_of
from backstairs.gateway.usage import Usage
from backstairs.http.asgi import BodyTooLongError, read_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access import Api, Origin
    from backstairs.access.refusals import Refusal
    from backstairs.gateway.authentication import Identities, Keys
    from backstairs.gateway.proxy_response import Answer
    from backstairs.gateway.routes import Directory, Target
    from backstairs.http.asgi import Receive, Scope, Send
    from backstairs.runtime.pool import Pool

_log = logging.getLogger(__name__)

_NO_SETTINGS = StageSettings()


class Door:
    """One ASGI application for all origins of an account's region.

    `pools` by function ARN; `settings` by API id and stage.
    """

    def __init__(
        self,
        directory: Directory,
        pools: Mapping[str, Pool],
        identities: Identities,
        region: str,
        settings: Mapping[tuple[str, str], StageSettings],
        *,
        keys: Keys | None = None,
        usage: Usage | None = None,
    ) -> None:
        self._directory = directory
        self._integrations = Integrations(pools)
        self._proofs = Proofs(identities, keys or NoKeys(), region)
        self._settings = settings
        self._usage = usage or Usage()
        self.decisions = Decisions()

    async def serve(self, origin: Origin, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that entered by `origin`."""
        request_id = str(uuid.uuid4())
        try:
            await self._serve(origin, scope, receive, send, request_id)
        except OSError:
            why = "the account does not answer"
            await send_answer(send, refusals.undecided(why), request_id)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer
            # Our own fault, so not in API Gateway's words; the traceback holds no request data.
            _log.exception("request %s failed", request_id)
            await send_answer(send, refusals.undecided("an error in the door"), request_id)

    async def _serve(
        self, origin: Origin, scope: Scope, receive: Receive, send: Send, request_id: str
    ) -> None:
        now = datetime.now(UTC)
        body: bytes | None
        try:
            body = await read_body(receive, quotas.MAXIMUM_BODY)
        except BodyTooLongError:
            body = None
        except ConnectionError:
            return
        request = WireRequest(
            scope["method"], scope["raw_path"], scope["query_string"], scope["headers"], body or b""
        )
        target = self._directory.find(request, origin.endpoint)
        trace = trace_of(request)
        proof = Proof()
        if body is None:
            decision = quotas.refuse_body(target.api)
        else:
            proof, decision = await self._decide(request, target, origin, now)
        answer: Answer | Refusal
        if decision.refusal is not None or target.api is None or target.route is None:
            answer = decision.refusal or refusals.FORBIDDEN
        else:
            entry = payload_1.Entry(
                api=target.api,
                route=target.route,
                parameters=target.parameters,
                origin=origin,
                caller=proof.caller,
                access_key_id=proof.access_key_id,
                request_id=request_id,
                time=now,
                trace_id=trace.header,
                header_names=scope["state"].get("header_names") or [n for n, _ in request.headers],
                path=target.path,
                api_key_id=proof.api_key_id if target.route.needs_key else None,
                binary=request_is_binary(self._of(target.api).binary_types, request),
            )
            settings = self._of(target.api)
            decision, answer = await self._integrations.run(request, entry, settings, decision)
        self.decisions.keep(
            Record(
                request_id=request_id,
                trace=trace.root,
                time=now,
                origin=origin.name,
                method=request.method,
                path=request.path.decode("latin-1"),
                caller=proof.caller.arn if proof.caller else None,
                decision=decision,
                status=answer.status,
            )
        )
        await send_answer(send, answer, request_id, target.api, close=body is None)

    async def _decide(
        self, request: WireRequest, target: Target, origin: Origin, now: datetime
    ) -> tuple[Proof, Decision]:
        """Who calls, and whether the call is admitted, its limits included."""
        if target.api is not None:
            too_large = quotas.refuse_head(request, target.api)
            if too_large is not None:
                return Proof(), too_large
        proof = await self._proofs.prove(request, now)
        needs_key = target.route is not None and target.route.needs_key
        offered = await self._proofs.offered(request) if needs_key else Offered()
        decision = decide(
            Call(
                origin=origin,
                method=request.method,
                path=target.path,
                api=target.api,
                route=target.route,
                caller=proof.caller,
                signature=proof.problem,
                api_key=offered.known.key if offered.known else None,
                key_problem=offered.problem,
                now=now,
            )
        )
        if decision.verdict is Verdict.ALLOWED and target.api and target.route:
            throttles = self._of(target.api).throttles
            decision = self._usage.limited(
                decision, target.api, target.route, offered.known, throttles
            )
        if offered.known is not None:
            proof = replace(proof, api_key_id=offered.known.key.key_id)
        return proof, decision

    def _of(self, api: Api) -> StageSettings:
        return self._settings.get((api.api_id, api.stage), _NO_SETTINGS)
