"""What API Gateway itself answers, for either kind of API, and the headers it adds.

Source: for HTTP APIs `{"message":"Internal Server Error"}` is in API Gateway Developer Guide,
"Troubleshooting issues with HTTP API Lambda integrations", and `apigw-requestid` as the one header
they add in public reports; the words of their 413 and 503 are unverified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstairs.access import Kind, refusals
from backstairs.gateway.proxy_response import JSON, Answer
from backstairs.http.asgi import send_response

if TYPE_CHECKING:
    from backstairs.access import Api
    from backstairs.access.refusals import Refusal
    from backstairs.http.asgi import Send


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """Its answers where an integration gives none, and for how many seconds it waits for one."""

    too_long: Refusal
    failed: Refusal
    timed_out: Refusal
    seconds: int


_REST = OwnAnswers(refusals.TOO_LONG, refusals.INTERNAL_ERROR, refusals.TIMED_OUT, 29)
_HTTP = OwnAnswers(
    refusals.HTTP_TOO_LONG, refusals.HTTP_INTERNAL_ERROR, refusals.HTTP_TIMED_OUT, 30
)


def own_answers(api: Api | None) -> OwnAnswers:
    """The answers of an API's kind; those of a REST API where there is no such API."""
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
