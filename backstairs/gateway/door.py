"""The door: API Gateway's part in front of the functions.

It proves who calls, asks `backstairs.access` for the decision, counts the call against its limits,
and only then lets a function see the request. Every decision is kept with its reasons, for
`backstairs call` and whoever meets a 403.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backstairs.access import (
    Call,
    Decision,
    Verdict,
    WireRequest,
    decide,
)
from backstairs.gateway import quotas
from backstairs.gateway.authentication import NoKeys, OfferedKey, Proof, Proofs
from backstairs.gateway.decisions import Decisions, Record
from backstairs.gateway.gateway_responses import send_answer
from backstairs.gateway.integrations.lambda_proxy import Integrations
from backstairs.gateway.method_request import MethodRequest
from backstairs.gateway.outcome import UNDECIDED, By, Outcome, refused
from backstairs.gateway.trace import trace_of
from backstairs.gateway.usage import Usage
from backstairs.http.asgi import BodyTooLongError, read_body

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backstairs.access import Origin
    from backstairs.gateway.authentication import Identities, Keys
    from backstairs.gateway.routes import Directory, Target
    from backstairs.gateway.trace import Trace
    from backstairs.http.asgi import Receive, Scope, Send
    from backstairs.runtime.pool import Pool

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A request, where it goes and how it came."""

    request: WireRequest
    target: Target
    origin: Origin
    time: datetime
    request_id: str
    trace: Trace
    header_names: Sequence[bytes]


class Door:
    """One ASGI application for all origins of an account's region; `pools` by function ARN."""

    def __init__(
        self,
        directory: Directory,
        pools: Mapping[str, Pool],
        identities: Identities,
        region: str,
        *,
        keys: Keys | None = None,
        usage: Usage | None = None,
    ) -> None:
        self._directory = directory
        self._integrations = Integrations(pools)
        self._proofs = Proofs(identities, keys or NoKeys(), region)
        self._usage = usage or Usage()
        self.decisions = Decisions()

    async def serve(self, origin: Origin, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that entered by `origin`."""
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
        arrival = _Arrival(
            request=request,
            target=self._directory.target_of(request, origin.endpoint),
            origin=origin,
            time=now,
            request_id=str(uuid.uuid4()),
            trace=trace_of(request),
            header_names=scope["state"].get("header_names") or [n for n, _ in request.headers],
        )
        proof, outcome = await self._end(arrival, whole=body is not None)
        self.decisions.keep(
            Record(
                request_id=arrival.request_id,
                trace=arrival.trace.root,
                time=now,
                origin=origin.name,
                method=request.method,
                path=request.path.decode("latin-1"),
                caller=proof.caller.arn if proof.caller else None,
                decision=outcome.decision,
                status=outcome.response.status,
                by=outcome.by,
            )
        )
        api = arrival.target.api
        await send_answer(send, outcome.response, arrival.request_id, api, close=body is None)

    async def _end(self, arrival: _Arrival, *, whole: bool) -> tuple[Proof, Outcome]:
        """What a request comes to, whatever happens."""
        proof = Proof()
        if not whole:
            return proof, refused(quotas.refuse_body(arrival.target.api), By.LIMITS)
        try:
            proof, decision, by = await self._decide(arrival)
            if decision.verdict is not Verdict.ALLOWED:
                return proof, refused(decision, by)
            return proof, await self._integrate(arrival, proof, decision)
        except OSError:
            why = "the account does not answer"
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer
            # Our own fault, so not in API Gateway's words; the traceback holds no request data.
            _log.exception("request %s failed", arrival.request_id)
            why = "an error in the door"
        return proof, refused(UNDECIDED.unknown(why), By.ACCESS)

    async def _integrate(self, arrival: _Arrival, proof: Proof, admitted: Decision) -> Outcome:
        """What an admitted request comes to."""
        target = arrival.target
        if target.stage is None or target.method is None:
            raise ValueError("what has no API and no route is not admitted")
        request = MethodRequest(
            wire=arrival.request,
            stage=target.stage,
            method=target.method,
            path=target.path,
            parameters=target.parameters,
            origin=arrival.origin,
            proof=proof,
            request_id=arrival.request_id,
            time=arrival.time,
            trace_id=arrival.trace.header,
            header_names=arrival.header_names,
        )
        return await self._integrations.run(request, admitted)

    async def _decide(self, arrival: _Arrival) -> tuple[Proof, Decision, By]:
        """Who calls, and whether the call is admitted, its limits included, and who says so."""
        request, target = arrival.request, arrival.target
        if target.api is not None:
            too_large = quotas.refuse_head(request, target.api)
            if too_large is not None:
                return Proof(), too_large, By.LIMITS
        proof = await self._proofs.prove(request, arrival.time)
        needs_key = target.route is not None and target.route.needs_key
        offered = await self._proofs.offered_key(request) if needs_key else OfferedKey()
        decision = decide(
            Call(
                origin=arrival.origin,
                method=request.method,
                path=target.path,
                api=target.api,
                route=target.route,
                caller=proof.caller,
                signature=proof.problem,
                api_key=offered.known.key if offered.known else None,
                key_problem=offered.problem,
                now=arrival.time,
            )
        )
        if offered.known is not None:
            proof = replace(proof, api_key_id=offered.known.key.key_id)
        if decision.verdict is not Verdict.ALLOWED or not target.api or not target.method:
            return proof, decision, By.ACCESS
        limited = self._usage.limited(
            decision, target.api, target.method.route, offered.known, target.method.throttle
        )
        return proof, limited, By.LIMITS
