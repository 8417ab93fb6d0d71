"""What API Gateway itself answers, for either kind of API, and the headers it adds.

Source: for HTTP APIs `{"message":"Internal Server Error"}` is in API Gateway Developer Guide,
"Troubleshooting issues with HTTP API Lambda integrations", and `apigw-requestid` as the one header
they add in public reports; the words of their 413 and 503 are unverified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstairs.access import Kind, refusals
from backstairs.gateway import rules
from backstairs.gateway.proxy_response import JSON, Answer
from backstairs.http.asgi import send_response

if TYPE_CHECKING:
    from backstairs.access import Api, Rule
    from backstairs.access.refusals import Refusal
    from backstairs.http.asgi import Send


@dataclass(frozen=True, slots=True)
class GatewayResponses:
    """What it answers where an integration gives no answer, by which rules.

    `seconds` is how long it waits for one.
    """

    too_long: Refusal
    failed: Refusal
    failed_by: Rule
    malformed_by: Rule
    timed_out: Refusal
    timed_out_by: Rule
    seconds: int


_REST = GatewayResponses(
    too_long=refusals.TOO_LONG,
    failed=refusals.INTERNAL_ERROR,
    failed_by=rules.FUNCTION_FAILED,
    malformed_by=rules.MALFORMED_ANSWER,
    timed_out=refusals.TIMED_OUT,
    timed_out_by=rules.TIMED_OUT,
    seconds=29,
)
_HTTP = GatewayResponses(
    too_long=refusals.HTTP_TOO_LONG,
    failed=refusals.HTTP_INTERNAL_ERROR,
    failed_by=rules.HTTP_FUNCTION_FAILED,
    malformed_by=rules.HTTP_MALFORMED_ANSWER,
    timed_out=refusals.HTTP_TIMED_OUT,
    timed_out_by=rules.HTTP_TIMED_OUT,
    seconds=30,
)


def gateway_responses_of(api: Api | None) -> GatewayResponses:
    """The responses of an API's kind; those of a REST API where there is no such API."""
    return _HTTP if _is_http(api) else _REST


async def send_answer(
    send: Send,
    answer: Answer | Refusal,
    request_id: str,
    api: Api | None = None,
    *,
    close: bool = False,
) -> None:
    """Send a function's answer or a refusal, with the headers of the API's kind."""
    name = request_id.encode()
    if _is_http(api):
        added = [(b"apigw-requestid", name)]
    else:
        added = [(b"x-amzn-requestid", name), (b"x-amz-apigw-id", name)]
    if isinstance(answer, Answer):
        headers = answer.headers
    else:
        headers = [(b"content-type", JSON)]
        if not _is_http(api):
            headers.append((b"x-amzn-errortype", answer.error_type.encode()))
    if close:
        added.append((b"connection", b"close"))
    await send_response(send, answer.status, answer.body, [*headers, *added])


def _is_http(api: Api | None) -> bool:
    return api is not None and api.kind is Kind.HTTP
