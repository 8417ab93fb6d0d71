"""HTTP API, Lambda proxy integration, payload 2.0: a request as an event, an answer as a response.

Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs in API
Gateway". Public reports: `rawPath` is decoded, begins with the stage unless that is `$default`
(powertools-lambda-python #621) and ends at a question mark that was encoded (live captures quoted
in middleapi/standard-server #93); what is absent is left out; bodies are base64 unless their type
is text (MiniStack #766). Unverified: that a signature is not passed on, as at a REST API, and what
a structured answer without a content type is sent as.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from backstairs.access.model import Authorization
from backstairs.access.paths import decoded
from backstairs.gateway.media_types import request_is_text
from backstairs.gateway.payload_1 import forwarded, query_of
from backstairs.gateway.proxy_response import (
    JSON,
    WITHOUT_BODY,
    Answer,
    MalformedAnswerError,
    answer_headers,
    body_of,
    object_of,
    parsed,
    status_of,
)
from backstairs.template.openapi import DEFAULT, route_key

if TYPE_CHECKING:
    from backstairs.access import WireRequest
    from backstairs.gateway.payload_1 import Entry

VERSION = "2.0"
_PLAIN = b"text/plain; charset=utf-8"


def event(request: WireRequest, entry: Entry) -> bytes:
    """The proxy event (payload 2.0) as JSON."""
    stage = entry.api.stage
    sent = entry.path if stage == DEFAULT else f"/{stage}{entry.path}"
    path = decoded(sent).partition("?")[0]
    agents = request.values("user-agent")
    domain = "".join(request.values("host")[:1])
    context: dict[str, Any] = {
        "accountId": entry.api.account,
        "apiId": entry.api.api_id,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": entry.origin.source_ip,
            "userAgent": agents[-1] if agents else "",
        },
        "requestId": entry.request_id,
        "routeKey": route_key(entry.route),
        "stage": stage,
        "time": entry.time.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(entry.time.timestamp() * 1000),
    }
    if entry.caller is not None and entry.route.authorization is Authorization.AWS_IAM:
        context["authorizer"] = {"iam": _iam(entry)}
    said: dict[str, Any] = {
        "version": VERSION,
        "routeKey": context["routeKey"],
        "rawPath": path,
        "rawQueryString": request.query.decode("latin-1"),
        "headers": _headers(request, entry),
        "requestContext": context,
        "isBase64Encoded": False,
    }
    cookies = [
        cookie.strip()
        for value in request.values("cookie")
        for cookie in value.split(";")
        if cookie.strip()
    ]
    query: dict[str, list[str]] = {}
    for name, value in query_of(request.query):
        query.setdefault(name, []).append(value)
    optional = {
        "cookies": cookies,
        "queryStringParameters": {name: ",".join(values) for name, values in query.items()},
        "pathParameters": dict(entry.parameters),
    }
    said |= {name: value for name, value in optional.items() if value}
    if request.body:
        text = request_is_text(request)
        said["isBase64Encoded"] = not text
        said["body"] = (
            request.body.decode(errors="replace")
            if text
            else base64.b64encode(request.body).decode()
        )
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _headers(request: WireRequest, entry: Entry) -> dict[str, str]:
    """Names in lower case, repetitions joined by commas; cookies have a place of their own."""
    dropped = {"cookie", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}
    if entry.route.authorization is Authorization.AWS_IAM:
        dropped.add("authorization")
    gathered: dict[str, list[str]] = {}
    for name, value in request.headers:
        if (key := name.decode("latin-1")) not in dropped:
            gathered.setdefault(key, []).append(value.decode("latin-1"))
    added = {
        "x-amzn-trace-id": entry.trace_id,
        "x-forwarded-for": forwarded(request, entry.origin),
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    return (
        {"content-length": str(len(request.body))}
        | {name: ",".join(values) for name, values in gathered.items()}
        | added
    )


def _iam(entry: Entry) -> dict[str, Any]:
    caller = entry.caller
    return {
        "accessKey": entry.access_key_id,
        "accountId": caller.account if caller else None,
        "callerId": caller.user_id if caller else None,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": caller.arn if caller else None,
        "userId": caller.user_id if caller else None,
    }


def answer(payload: bytes) -> Answer:
    """A function's answer as a response; one without `statusCode` is the body of a 200.

    Raises MalformedAnswerError, which the caller gets as 500.
    """
    said = parsed(payload)
    if not isinstance(said, dict) or "statusCode" not in said:
        body = said.encode(errors="replace") if isinstance(said, str) else payload
        return Answer(200, [(b"content-type", JSON)], body)
    status = status_of(said)
    cookies = said.get("cookies") or []
    if not isinstance(cookies, list):
        raise MalformedAnswerError(f"cookies is a {type(cookies).__name__}, not a list")
    headers = answer_headers({}, {"set-cookie": cookies})
    headers += answer_headers(object_of(said, "headers"), {})
    if status in WITHOUT_BODY:
        return Answer(status, headers, b"")
    if not any(name.lower() == b"content-type" for name, _ in headers):
        headers.append((b"content-type", _PLAIN))
    return Answer(status, headers, body_of(said, binary=True))
