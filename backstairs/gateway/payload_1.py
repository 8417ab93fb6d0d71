"""REST API, Lambda proxy integration: a request as an event (payload 1.0).

Source: API Gateway Developer Guide, "Lambda proxy integrations in API Gateway" and "Amazon API
Gateway important notes". The path and its parameters stay as they were sent, percent-encoded;
query parameters are decoded (public reports: serverless-offline #265, aws-sam-cli #771). An API key
is in the event, with its value, where the method asks for one ("Variables for data models,
authorizers, mapping templates", `$context.identity.apiKey`); elsewhere it has no place there.
Public captures of live events tell the rest: a call through an endpoint brings the names of its TLS
and of the endpoint, and nothing of X-Forwarded-Port, X-Forwarded-Proto, X-Amzn-Trace-Id;
`deploymentId` is there; what concerns one connection is not. Unverified: which TLS version and
cipher suite.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any

from backstairs.access.model import Authorization
from backstairs.gateway.media_types import request_is_binary
from backstairs.gateway.method_request import gather

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.gateway.method_request import MethodRequest


_OF_ONE_CONNECTION = {"connection", "content-length", "expect", "te"}


def event(request: MethodRequest) -> bytes:
    """The proxy event (payload 1.0) as JSON."""
    api, route, wire, domain = request.api, request.route, request.wire, request.domain
    headers, query = _headers(request), request.query()
    binary = request_is_binary(request.stage.binary_types, wire)
    body = {
        "resource": route.path,
        "path": request.path,
        "httpMethod": wire.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(request.parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": api.account,
            "apiId": api.api_id,
            "stage": api.stage,
            "resourcePath": route.path,
            "httpMethod": wire.method,
            "path": f"/{api.stage}{request.path}",
            "protocol": "HTTP/1.1",
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "deploymentId": request.stage.deployment_id,
            "resourceId": f"{zlib.crc32(route.path.encode()):08x}"[:6],
            "requestId": request.request_id,
            "extendedRequestId": _extended(request.request_id),
            "requestTime": request.requested_at,
            "requestTimeEpoch": request.requested_at_epoch,
            "identity": _identity(request),
        },
        "body": _body(wire.body, binary=binary),
        "isBase64Encoded": binary and bool(wire.body),
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _headers(request: MethodRequest) -> dict[str, list[str]]:
    """Those of the request, with what API Gateway adds in place of what has the same name."""
    endpoint, forwarded_for = request.origin.endpoint, request.forwarded_for
    added = {"X-Forwarded-For": [forwarded_for] if forwarded_for else []}
    if endpoint is None:
        added |= {
            "X-Amzn-Trace-Id": [request.trace_id],
            "X-Forwarded-Port": ["443"],
            "X-Forwarded-Proto": ["https"],
        }
    else:
        added |= {
            "x-amzn-cipher-suite": ["ECDHE-RSA-AES128-GCM-SHA256"],
            "x-amzn-tls-version": ["TLSv1.2"],
            "x-amzn-vpc-id": [endpoint.vpc_id],
            "x-amzn-vpce-id": [endpoint.endpoint_id],
            "x-amzn-vpce-config": ["1"],
        }
    replaced = {name.lower() for name in added} | _OF_ONE_CONNECTION
    # What `Connection` names goes no further (RFC 9110, section 7.6.1; of API Gateway unverified).
    named = ",".join(request.wire.values("connection"))
    replaced |= {name.strip(" \t").lower() for name in named.split(",")}
    if request.route.authorization is Authorization.AWS_IAM:
        # The signature is API Gateway's to read, and is not passed on (public reports).
        replaced.add("authorization")
    names = (name.decode("latin-1") for name in request.header_names)
    sent = gather(
        (name, value.decode("latin-1"))
        for name, (_, value) in zip(names, request.wire.headers, strict=True)
    )
    kept = {name: values for name, values in sent.items() if name.lower() not in replaced}
    return kept | {name: values for name, values in added.items() if values}


def _extended(request_id: str) -> str:
    """The extended request id, like those of API Gateway: eleven bytes in base64."""
    return base64.b64encode(hashlib.sha256(request_id.encode()).digest()[:11]).decode()


def _body(body: bytes, *, binary: bool) -> str | None:
    if not body:
        return None
    return base64.b64encode(body).decode() if binary else body.decode(errors="replace")


def _identity(request: MethodRequest) -> dict[str, Any]:
    proof, signer, endpoint = request.proof, request.signer, request.origin.endpoint
    identity: dict[str, Any] = dict.fromkeys(
        (
            "accessKey",
            "accountId",
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
    identity["sourceIp"] = request.origin.source_ip
    identity["userAgent"] = request.user_agent
    if endpoint is not None:
        identity["vpcId"] = endpoint.vpc_id
        identity["vpceId"] = endpoint.endpoint_id
    if signer is not None:
        identity["accessKey"] = proof.access_key_id
        identity["accountId"] = signer.account
        identity["caller"] = identity["user"] = signer.user_id
        identity["userArn"] = signer.arn
    if proof.api_key_id is not None:
        identity["apiKey"] = request.wire.values("x-api-key")[0]
        identity["apiKeyId"] = proof.api_key_id
    return identity


def _last(gathered: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in gathered.items()}
