"""The door: API Gateway's part in front of the functions.

It proves who calls, asks `backstairs.access` for the decision, counts the call against its limits,
and only then lets a function see the request. Every decision is kept with its reasons, for
`backstairs call` and whoever meets a 403.
"""

from __future__ import annotations

import logging
import uuid
from collections import OrderedDict
from dataclasses import dataclass, replace
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
from backstairs.local import rest, sizes
from backstairs.local.answers import send_answer
from backstairs.local.asgi import BodyTooLongError, read_body
from backstairs.local.deployed import StageSettings
from backstairs.local.integration import Integrations
from backstairs.local.keys import NoKeys
from backstairs.local.media_types import request_is_binary
from backstairs.local.proof import Offered, Proof, Proofs
from backstairs.local.trace import trace_of
from backstairs.local.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access import Api, Origin
    from backstairs.access.refusals import Refusal
    from backstairs.local.asgi import Receive, Scope, Send
    from backstairs.local.keys import Keys
    from backstairs.local.proof import Identities
    from backstairs.local.proxy_answers import Answer
    from backstairs.local.routes import Directory, Target
    from backstairs.local.runtime import Pool

_log = logging.getLogger(__name__)

KEPT_DECISIONS = 1000
_NO_SETTINGS = StageSettings()


@dataclass(frozen=True, slots=True)
class Record:
    """One decision as it is kept: nothing secret, no body.

    `trace` is what the calls share that one call leads to: the root of X-Amzn-Trace-Id.
    """

    request_id: str
    trace: str
    time: datetime
    origin: str
    method: str
    path: str
    caller: str | None
    decision: Decision
    status: int


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
        self.records: OrderedDict[str, Record] = OrderedDict()

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
            body = await read_body(receive, sizes.MAXIMUM_BODY)
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
            decision = sizes.refuse_body(target.api)
        else:
            proof, decision = await self._decide(request, target, origin, now)
        answer: Answer | Refusal
        if decision.refusal is not None or target.api is None or target.route is None:
            answer = decision.refusal or refusals.FORBIDDEN
        else:
            entry = rest.Entry(
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
        self._keep(
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
            too_large = sizes.refuse_head(request, target.api)
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

    def led_to(self, record: Record) -> list[Record]:
        """The calls that a call led to: a forwarder's, which began after it did."""
        return [
            one
            for one in self.records.values()
            if one.trace == record.trace
            and one.time >= record.time
            and one.request_id != record.request_id
        ]

    def _keep(self, record: Record) -> None:
        self.records[record.request_id] = record
        if len(self.records) > KEPT_DECISIONS:
            self.records.popitem(last=False)
