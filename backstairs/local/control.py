"""The port by which the other commands ask a running `backstairs up`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backstairs.http.asgi import BodyTooLongError, header, read_body, send_response
from backstairs.http.servers import send_json
from backstairs.runtime.pool import MAXIMUM_PAYLOAD, NotRunError, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.gateway.decisions import Decisions, Record
    from backstairs.http.asgi import Receive, Scope, Send
    from backstairs.runtime.pool import Pool


class Control:
    """`GET /decisions/{request id}` and `POST /functions/{name}/invocations`, no more."""

    def __init__(self, decisions: Decisions, pools: Mapping[str, Pool]) -> None:
        self._decisions = decisions
        self._pools = pools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, in JSON.

        A page in a browser can reach 127.0.0.1 too, but neither under that name nor with a JSON
        body that it was not allowed to send.
        """
        host = (header(scope, b"host") or "").partition(":")[0]
        json_body = header(scope, b"content-type") == "application/json"
        if host != "127.0.0.1" or (scope["method"] != "GET" and not json_body):
            await send_json(send, 403, {"message": "for commands on this machine only"})
            return
        match scope["method"], scope["path"].strip("/").split("/"):
            case "GET", ["decisions", request_id] if record := self._decisions.of(request_id):
                led_to = [describe(one) for one in self._decisions.led_to(record)]
                await send_json(send, 200, {**describe(record), "ledTo": led_to})
            case "POST", ["functions", name, "invocations"] if name in self._pools:
                try:
                    payload = await read_body(receive, MAXIMUM_PAYLOAD)
                except BodyTooLongError:
                    await send_json(send, 413, {"message": "an event is at most 6 MiB"})
                    return
                try:
                    result = await self._pools[name].invoke(payload)
                except NotRunError as error:
                    said = {"errorType": "NotRunError", "errorMessage": str(error)}
                    result = Result(json.dumps(said).encode(), "NotRunError")
                headers = [(b"content-type", b"application/json")]
                if result.error is not None:
                    headers.append((b"x-amz-function-error", result.error.encode("latin-1")))
                await send_response(send, 200, result.payload, headers)
            case _:
                await send_json(send, 404, {"message": "there is no such decision or function"})


def describe(record: Record) -> dict[str, Any]:
    """A decision as JSON: the call, the verdict, and each reason with how its rule is known."""
    return {
        "requestId": record.request_id,
        "time": record.time.isoformat(),
        "origin": record.origin,
        "method": record.method,
        "path": record.path,
        "caller": record.caller,
        "status": record.status,
        "verdict": record.decision.verdict.value,
        "by": record.by.value,
        "reasons": [
            {
                "text": reason.text,
                "rule": reason.rule.name,
                "says": reason.rule.says,
                "known": reason.rule.known.value,
                "source": reason.rule.source,
            }
            for reason in record.decision.reasons
        ],
    }
