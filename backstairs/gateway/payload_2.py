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
from backstairs.gateway.integrations.integration import HTTP_PAYLOAD
from backstairs.gateway.media_types import request_is_text
from backstairs.gateway.method_request import gather
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
    from backstairs.access import Principal
    from backstairs.gateway.method_request import MethodRequest

_PLAIN = b"text/plain; charset=utf-8"


def event(request: MethodRequest) -> bytes:
    """The proxy event (payload 2.0) as JSON."""
    api, wire, domain, signer = request.api, request.wire, request.domain, request.signer
    sent = request.path if api.stage == DEFAULT else f"/{api.stage}{request.path}"
    path = decoded(sent).partition("?")[0]
    context: dict[str, Any] = {
        "accountId": api.account,
        "apiId": api.api_id,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": wire.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.origin.source_ip,
            "userAgent": request.user_agent or "",
        },
        "requestId": request.request_id,
        "routeKey": route_key(request.route),
        "stage": api.stage,
        "time": request.requested_at,
        "timeEpoch": request.requested_at_epoch,
    }
    if signer is not None:
        context["authorizer"] = {"iam": _iam(signer, request.proof.access_key_id)}
    said: dict[str, Any] = {
        "version": HTTP_PAYLOAD,
        "routeKey": context["routeKey"],
        "rawPath": path,
        "rawQueryString": wire.query.decode("latin-1"),
        "headers": _headers(request),
        "requestContext": context,
        "isBase64Encoded": False,
    }
    cookies = [
        cookie.strip()
        for value in wire.values("cookie")
        for cookie in value.split(";")
        if cookie.strip()
    ]
    query = request.query().items()
    optional = {
        "cookies": cookies,
        "queryStringParameters": {name: ",".join(values) for name, values in query},
        "pathParameters": dict(request.parameters),
    }
    said |= {name: value for name, value in optional.items() if value}
    if wire.body:
        text = request_is_text(wire)
        said["isBase64Encoded"] = not text
        said["body"] = (
            wire.body.decode(errors="replace") if text else base64.b64encode(wire.body).decode()
        )
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _headers(request: MethodRequest) -> dict[str, str]:
    """Names in lower case, repetitions joined by commas; cookies have a place of their own."""
    dropped = {"cookie", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}
    if request.route.authorization is Authorization.AWS_IAM:
        dropped.add("authorization")
    pairs = request.wire.headers
    sent = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs)
    kept = gather((name, value) for name, value in sent if name not in dropped)
    added = {
        "x-amzn-trace-id": request.trace_id,
        "x-forwarded-for": request.forwarded_for,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    return (
        {"content-length": str(len(request.wire.body))}
        | {name: ",".join(values) for name, values in kept.items()}
        | added
    )


def _iam(signer: Principal, access_key_id: str | None) -> dict[str, Any]:
    return {
        "accessKey": access_key_id,
        "accountId": signer.account,
        "callerId": signer.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": signer.arn,
        "userId": signer.user_id,
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
