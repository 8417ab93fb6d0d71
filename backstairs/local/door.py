"""The door: API Gateway's part in front of the functions.

It proves who calls, asks `backstairs.access` for the decision, and only then lets a function see
the request. Every decision is kept with its reasons, for `backstairs call` and whoever meets a 403.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from backstairs.access import Call, Decision, SignatureProblem, WireRequest, decide, refusals, sigv4
from backstairs.local import rest
from backstairs.local.asgi import BodyTooLongError, read_body, send_response
from backstairs.local.runtime import MAXIMUM_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access import Origin, Principal
    from backstairs.access.refusals import Refusal
    from backstairs.local.asgi import Receive, Scope, Send
    from backstairs.local.routes import Directory
    from backstairs.local.runtime import Pool, Result
    from backstairs.local.validation import RequestValidator

_log = logging.getLogger(__name__)

MAXIMUM_BODY = 10 * 1024 * 1024
INTEGRATION_SECONDS = 29
KEPT_DECISIONS = 1000


@dataclass(frozen=True, slots=True)
class Identity:
    """An access key of the account: its secret, and who signs with it."""

    principal: Principal
    secret_key: str
    session_token: str | None
    expires: datetime | None


class Identities(Protocol):
    """Where the door learns whose an access key is."""

    async def find(self, access_key_id: str) -> Identity | None:
        """The identity of an access key, or None."""


@dataclass(frozen=True, slots=True)
class Record:
    """One decision as it is kept: nothing secret, no body."""

    request_id: str
    time: datetime
    origin: str
    method: str
    path: str
    caller: str | None
    decision: Decision
    status: int


@dataclass(frozen=True, slots=True)
class _Proof:
    """Who signed a request, or why that is not known."""

    caller: Principal | None = None
    access_key_id: str | None = None
    problem: SignatureProblem | None = None


class Door:
    """One ASGI application for all origins of an account's region.

    `pools` by function ARN; `validators` by API ARN, then by method and resource path.
    """

    def __init__(
        self,
        directory: Directory,
        pools: Mapping[str, Pool],
        identities: Identities,
        region: str,
        validators: Mapping[str, Mapping[tuple[str, str], RequestValidator]],
    ) -> None:
        self._directory = directory
        self._pools = pools
        self._identities = identities
        self._region = region
        self._validators = validators
        self._running: set[asyncio.Task[Result]] = set()
        self.records: OrderedDict[str, Record] = OrderedDict()

    async def serve(self, origin: Origin, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that entered by `origin`."""
        request_id = str(uuid.uuid4())
        try:
            await self._serve(origin, scope, receive, send, request_id)
        except OSError:
            why = "the account does not answer"
            await _refuse(send, refusals.undecided(why), request_id)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer
            # Our own fault, so not in API Gateway's words; the traceback holds no request data.
            _log.exception("request %s failed", request_id)
            await _refuse(send, refusals.undecided("an error in the door"), request_id)

    async def _serve(
        self, origin: Origin, scope: Scope, receive: Receive, send: Send, request_id: str
    ) -> None:
        now = datetime.now(UTC)
        try:
            body = await read_body(receive, MAXIMUM_BODY)
        except BodyTooLongError:
            await _refuse(send, refusals.TOO_LONG, request_id, close=True)
            return
        except ConnectionError:
            return
        request = WireRequest(
            scope["method"], scope["raw_path"], scope["query_string"], scope["headers"], body
        )
        target = self._directory.find(request, origin.endpoint)
        proof = await self._prove(request, now)
        decision = decide(
            Call(
                origin=origin,
                method=request.method,
                path=target.path,
                api=target.api,
                route=target.route,
                caller=proof.caller,
                signature=proof.problem,
                now=now,
            )
        )
        answer: rest.Answer | Refusal
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
                trace_id=_trace_id(request),
                header_names=scope["state"].get("header_names") or [n for n, _ in request.headers],
                path=target.path,
            )
            answer = self._refuse_invalid(request, entry) or await self._integrate(request, entry)
        self._keep(
            Record(
                request_id=request_id,
                time=now,
                origin=origin.name,
                method=request.method,
                path=request.path.decode("latin-1"),
                caller=proof.caller.arn if proof.caller else None,
                decision=decision,
                status=answer.status,
            )
        )
        if isinstance(answer, rest.Answer):
            headers = [*answer.headers, *_ids(request_id)]
            await send_response(send, answer.status, answer.body, headers)
        else:
            await _refuse(send, answer, request_id)

    async def _prove(self, request: WireRequest, now: datetime) -> _Proof:
        try:
            claim = sigv4.read_claim(request)
            if claim is None:
                return _Proof()
            identity = await self._identities.find(claim.access_key_id)
            if identity is None or not _same_token(identity, request):
                raise sigv4.unknown_key()
            if identity.expires is not None and identity.expires <= now:
                raise sigv4.expired_token()
            sigv4.verify(
                request, claim, secret_key=identity.secret_key, region=self._region, now=now
            )
        except SignatureProblem as problem:
            return _Proof(problem=problem)
        return _Proof(identity.principal, claim.access_key_id)

    def _refuse_invalid(self, request: WireRequest, entry: rest.Entry) -> Refusal | None:
        route = entry.route
        validator = self._validators.get(entry.api.arn, {}).get((route.method, route.path))
        return None if validator is None else validator.refuse(request)

    async def _integrate(self, request: WireRequest, entry: rest.Entry) -> rest.Answer | Refusal:
        # By the function, whichever alias or version the method names.
        pool = self._pools.get(":".join((entry.route.function or "").split(":")[:7]))
        if pool is None:
            return refusals.undecided("the method's integration is not a function of this stack")
        event = rest.event(request, entry)
        if len(event) > MAXIMUM_PAYLOAD:
            return refusals.TOO_LONG
        # The function goes on when API Gateway no longer waits for it.
        running = asyncio.create_task(pool.invoke(event, entry.trace_id))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait({running}, timeout=INTEGRATION_SECONDS)
        if not done:
            return refusals.TIMED_OUT
        result = running.result()
        if result.error is not None:
            return refusals.INTERNAL_ERROR
        try:
            return rest.answer(result.payload)
        except rest.MalformedAnswerError:
            return refusals.INTERNAL_ERROR

    def _keep(self, record: Record) -> None:
        self.records[record.request_id] = record
        if len(self.records) > KEPT_DECISIONS:
            self.records.popitem(last=False)


def _same_token(identity: Identity, request: WireRequest) -> bool:
    offered = request.values("x-amz-security-token")
    if identity.session_token is None:
        return not offered
    return len(offered) == 1 and hmac.compare_digest(
        offered[0].encode("latin-1"), identity.session_token.encode()
    )


def _trace_id(request: WireRequest) -> str:
    given = request.values("x-amzn-trace-id")
    return given[0] if given else f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def _ids(request_id: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-amzn-requestid", request_id.encode()), (b"x-amz-apigw-id", request_id.encode())]


async def _refuse(send: Send, refusal: Refusal, request_id: str, *, close: bool = False) -> None:
    headers = [
        (b"content-type", rest.JSON),
        (b"x-amzn-errortype", refusal.error_type.encode()),
        *_ids(request_id),
    ]
    if close:
        headers.append((b"connection", b"close"))
    await send_response(send, refusal.status, refusal.body, headers)
