"""How large a request may be before API Gateway looks at anything else.

Source: API Gateway Developer Guide, "Quotas for configuring and running a REST API" and the same
for HTTP APIs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Reason, limits, refusals
from backstairs.gateway.gateway_responses import gateway_responses_of
from backstairs.gateway.outcome import UNDECIDED

if TYPE_CHECKING:
    from backstairs.access import Api, Decision, WireRequest

MAXIMUM_BODY = 10 * 1024 * 1024
_HEAD, _PRIVATE_HEAD = 10_240, 8_000


def refuse_head(request: WireRequest, api: Api) -> Decision | None:
    """The refusal of a request whose line and header values are too large, or None."""
    limit = _PRIVATE_HEAD if api.private else _HEAD
    size = _line(request) + sum(len(value) for _, value in request.headers)
    if size <= limit:
        return None
    text = f"request line and header values have {size} bytes, {api.name} takes {limit}"
    rule = limits.PRIVATE_HEADERS if api.private else limits.HEADERS
    decided = UNDECIDED.because(Reason(rule, text))
    return decided.refused(Reason(limits.HEADERS_ANSWER, text), refusals.HEADERS_TOO_LARGE)


def refuse_body(api: Api | None) -> Decision:
    """The refusal of a body beyond `MAXIMUM_BODY`."""
    text = f"the body has more than {MAXIMUM_BODY} bytes"
    return UNDECIDED.refused(Reason(limits.BODY, text), gateway_responses_of(api).too_long)


def refuse_event(admitted: Decision, api: Api, size: int, limit: int) -> Decision:
    """The refusal of an admitted call whose event its function cannot take."""
    text = f"the event has {size} bytes, a function takes {limit}"
    return admitted.refused(Reason(limits.EVENT, text), gateway_responses_of(api).too_long)


def _line(request: WireRequest) -> int:
    query = len(request.query) + 1 if request.query else 0
    return len(f"{request.method}  HTTP/1.1") + len(request.path) + query
