"""REST API, Lambda proxy integration: a request as an event (payload 1.0).

Source: API Gateway Developer Guide, "Lambda proxy integrations in API Gateway" and "Amazon API
Gateway important notes". The path and its parameters stay as they were sent, percent-encoded;
query parameters are decoded (public reports: serverless-offline #265, aws-sam-cli #771). An API key
is in the event, with its value, where the method asks for one ("Variables for data models,
authorizers, mapping templates", `$context.identity.apiKey`).
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from backstairs.access.model import Authorization

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from backstairs.access import Api, Origin, Principal, Route, WireRequest


@dataclass(frozen=True, slots=True)
class Entry:
    """How a request came in: what the event tells of it beside the request itself.

    `api_key_id` is that of the key the method asked for; `binary`: the body goes in base64.
    """

    api: Api
    route: Route
    parameters: Mapping[str, str]
    origin: Origin
    caller: Principal | None
    access_key_id: str | None
    request_id: str
    time: datetime
    trace_id: str
    header_names: Iterable[bytes]
    path: str
    api_key_id: str | None = None
    binary: bool = False


def event(request: WireRequest, entry: Entry) -> bytes:
    """The proxy event (payload 1.0) as JSON."""
    api, route = entry.api, entry.route
    names = (name.decode("latin-1") for name in entry.header_names)
    headers = _gather(
        (name, value.decode("latin-1"))
        for name, (_, value) in zip(names, request.headers, strict=True)
    )
    forwarded_for = forwarded(request, entry.origin)
    added = {
        "X-Amzn-Trace-Id": [entry.trace_id],
        "X-Forwarded-For": [forwarded_for] if forwarded_for else [],
        "X-Forwarded-Port": ["443"],
        "X-Forwarded-Proto": ["https"],
    }
    if entry.origin.endpoint is not None:
        added |= {
            "x-amzn-vpc-id": [entry.origin.endpoint.vpc_id],
            "x-amzn-vpce-id": [entry.origin.endpoint.endpoint_id],
            "x-amzn-vpce-config": ["1"],
        }
    replaced = {name.lower() for name in added}
    if route.authorization is Authorization.AWS_IAM:
        # The signature is API Gateway's to read, and is not passed on (public reports).
        replaced.add("authorization")
    headers = {name: values for name, values in headers.items() if name.lower() not in replaced}
    headers |= {name: values for name, values in added.items() if values}
    query = _gather(query_of(request.query))
    domain = "".join(request.values("host")[:1])
    body = {
        "resource": route.path,
        "path": entry.path,
        "httpMethod": request.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(entry.parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": api.account,
            "apiId": api.api_id,
            "stage": api.stage,
            "resourcePath": route.path,
            "httpMethod": request.method,
            "path": f"/{api.stage}{entry.path}",
            "protocol": "HTTP/1.1",
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "resourceId": f"{zlib.crc32(route.path.encode()):08x}"[:6],
            "requestId": entry.request_id,
            "extendedRequestId": entry.request_id,
            "requestTime": entry.time.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(entry.time.timestamp() * 1000),
            "identity": _identity(request, entry),
        },
        "body": _body(request, binary=entry.binary),
        "isBase64Encoded": entry.binary and bool(request.body),
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def forwarded(request: WireRequest, origin: Origin) -> str:
    """X-Forwarded-For: the client's address behind what it sent, so its word and not a proof.

    Source: public report of a live REST API (fireprox #12); of an HTTP API it is unverified.
    """
    return ", ".join(filter(None, [*request.values("x-forwarded-for"), origin.source_ip]))


def _body(request: WireRequest, *, binary: bool) -> str | None:
    if not request.body:
        return None
    return (
        base64.b64encode(request.body).decode() if binary else request.body.decode(errors="replace")
    )


def _identity(request: WireRequest, entry: Entry) -> dict[str, Any]:
    agents = request.values("user-agent")
    identity: dict[str, Any] = dict.fromkeys(
        (
            "accessKey",
            "accountId",
            "apiKey",
            "apiKeyId",
            "caller",
            "cognitoAuthenticationProvider",
            "cognitoAuthenticationType",
            "cognitoIdentityId",
            "cognitoIdentityPoolId",
            "principalOrgId",
            "user",
            "userArn",
        )
    )
    identity["sourceIp"] = entry.origin.source_ip
    identity["userAgent"] = agents[-1] if agents else None
    if entry.origin.endpoint is not None:
        identity["vpcId"] = entry.origin.endpoint.vpc_id
        identity["vpceId"] = entry.origin.endpoint.endpoint_id
    if entry.caller is not None and entry.route.authorization is Authorization.AWS_IAM:
        identity["accessKey"] = entry.access_key_id
        identity["accountId"] = entry.caller.account
        identity["caller"] = identity["user"] = entry.caller.user_id
        identity["userArn"] = entry.caller.arn
    if entry.api_key_id is not None:
        identity["apiKey"] = request.values("x-api-key")[0]
        identity["apiKeyId"] = entry.api_key_id
    return identity


def query_of(query: bytes) -> Iterable[tuple[str, str]]:
    """The parameters of a query, decoded, in order."""
    for part in query.decode("latin-1").split("&"):
        if part:
            name, _, value = part.partition("=")
            yield unquote_plus(name), unquote_plus(value)


def _gather(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    gathered: dict[str, list[str]] = {}
    for name, value in pairs:
        gathered.setdefault(name, []).append(value)
    return gathered


def _last(gathered: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in gathered.items()}
