"""How large a request may be before API Gateway looks at anything else.

Source: API Gateway Developer Guide, "Quotas for configuring and running a REST API" and the same
for HTTP APIs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Decision, Reason, Verdict, limits, refusals
from backstairs.gateway.gateway_responses import own_answers

if TYPE_CHECKING:
    from backstairs.access import Api, WireRequest

MAXIMUM_BODY = 10 * 1024 * 1024
_HEAD, _PRIVATE_HEAD = 10_240, 8_000


def refuse_head(request: WireRequest, api: Api) -> Decision | None:
    """The refusal of a request whose line and header values are too large, or None."""
    most = _PRIVATE_HEAD if api.private else _HEAD
    size = _line(request) + sum(len(value) for _, value in request.headers)
    if size <= most:
        return None
    text = f"request line and header values have {size} bytes, {api.name} takes {most}"
    rule = limits.PRIVATE_HEADERS if api.private else limits.HEADERS
    reasons = (Reason(rule, text), Reason(limits.HEADERS_ANSWER, text))
    return Decision(Verdict.REFUSED, reasons, refusals.HEADERS_TOO_LARGE)


def refuse_body(api: Api | None) -> Decision:
    """The refusal of a body beyond `MAXIMUM_BODY`."""
    text = f"the body has more than {MAXIMUM_BODY} bytes"
    return Decision(Verdict.REFUSED, (Reason(limits.BODY, text),), own_answers(api).too_long)


def refuse_event(admitted: Decision, api: Api, size: int, most: int) -> Decision:
    """The refusal of an admitted call whose event its function cannot take."""
    text = f"the event has {size} bytes, a function takes {most}"
    return admitted.refused(Reason(limits.EVENT, text), own_answers(api).too_long)


def _line(request: WireRequest) -> int:
    query = len(request.query) + 1 if request.query else 0
    return len(f"{request.method}  HTTP/1.1") + len(request.path) + query
