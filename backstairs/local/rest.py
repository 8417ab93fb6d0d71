"""REST API, Lambda proxy integration: a request as an event, and a function's answer as a response.

Source: API Gateway Developer Guide, "Lambda proxy integrations in API Gateway" and "Amazon API
Gateway important notes". The path and its parameters stay as they were sent, percent-encoded;
query parameters are decoded (public reports: serverless-offline #265, aws-sam-cli #771). An API key
is in the event, with its value, where the method asks for one ("Variables for data models,
authorizers, mapping templates", `$context.identity.apiKey`).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from backstairs.access.model import Authorization

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from backstairs.access import Api, Origin, Principal, Route, WireRequest

JSON = b"application/json"
WITHOUT_BODY = (204, 304)

# Headers that API Gateway sets itself; a function's own come back under another name.
_REMAPPED = {
    name: f"x-amzn-Remapped-{name}".encode()
    for name in (
        "authorization",
        "connection",
        "content-length",
        "content-md5",
        "date",
        "expect",
        "host",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "te",
        "trailer",
        "upgrade",
        "user-agent",
        "www-authenticate",
    )
}
_DROPPED = {"transfer-encoding"}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class MalformedAnswerError(ValueError):
    """A function's answer is not of the form that a proxy integration takes."""


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
    source_ip = entry.origin.source_ip
    added = {
        "X-Amzn-Trace-Id": [entry.trace_id],
        "X-Forwarded-For": [source_ip] if source_ip else [],
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
    query = _gather(_query(request.query))
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


def _query(query: bytes) -> Iterable[tuple[str, str]]:
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


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response: status, headers, body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def answer(payload: bytes, *, binary: bool = False) -> Answer:
    """A function's answer as a response. Raises MalformedAnswerError, which the caller gets as 502.

    `binary`: what the function says is base64 is sent decoded; otherwise it is sent as it is.
    """
    said = parsed(payload)
    if not isinstance(said, dict):
        raise MalformedAnswerError(f"the answer is a {type(said).__name__}, not an object")
    unknown = said.keys() - {
        "statusCode",
        "headers",
        "multiValueHeaders",
        "body",
        "isBase64Encoded",
    }
    if unknown:
        raise MalformedAnswerError(f"unknown keys {sorted(unknown)}")
    status = status_of(said)
    headers = answer_headers(object_of(said, "headers"), object_of(said, "multiValueHeaders"))
    if status in WITHOUT_BODY:
        # RFC 9110, sections 15.3.5 and 15.4.5: bytes here would be read as the next answer.
        return Answer(status, headers, b"")
    if not any(name.lower() == b"content-type" for name, _ in headers):
        headers.append((b"content-type", JSON))
    return Answer(status, headers, body_of(said, binary=binary))


def parsed(payload: bytes) -> Any:
    """A function's answer read as JSON. Raises MalformedAnswerError."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedAnswerError(str(error)) from error


def status_of(said: Mapping[str, Any]) -> int:
    """The status of an answer. Raises MalformedAnswerError."""
    try:
        status = int(said["statusCode"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise MalformedAnswerError("statusCode is missing or not a number") from error
    if not 200 <= status <= 599:  # noqa: PLR2004 - what can end a request
        raise MalformedAnswerError(f"statusCode is {status}")
    return status


def body_of(said: Mapping[str, Any], *, binary: bool) -> bytes:
    """The bytes of an answer's body; `binary` decodes base64. Raises MalformedAnswerError."""
    body = said.get("body")
    if body is not None and not isinstance(body, str):
        raise MalformedAnswerError(f"body is a {type(body).__name__}, not a string")
    try:
        sent = (body or "").encode()
        encoded = binary and said.get("isBase64Encoded") is True
        return base64.b64decode(sent, validate=True) if encoded else sent
    except UnicodeEncodeError as error:
        raise MalformedAnswerError("body is not Unicode") from error
    except binascii.Error as error:
        raise MalformedAnswerError("body is not base64") from error


def object_of(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object in an answer, empty where there is none. Raises MalformedAnswerError."""
    value = said.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedAnswerError(f"{name} is a {type(value).__name__}, not an object")
    return value


def answer_headers(
    single: Mapping[str, Any], multiple: Mapping[str, Any]
) -> list[tuple[bytes, bytes]]:
    """An answer's headers as they are sent. Raises MalformedAnswerError for what cannot be."""
    # Both forms are merged; an equal pair in both is sent once (the guide's words on
    # `multiValueHeaders`).
    pairs = [(name, _header_text(one)) for name, many in multiple.items() for one in _listed(many)]
    pairs += [
        pair for name, one in single.items() if (pair := (name, _header_text(one))) not in pairs
    ]
    result = []
    for name, value in pairs:
        if not _TOKEN.fullmatch(name) or _UNSENDABLE.search(value):
            raise MalformedAnswerError(f"header {name!r} cannot be sent")
        if name.lower() not in _DROPPED:
            key = _REMAPPED.get(name.lower()) or name.encode()
            result.append((key, value.encode("latin-1", "replace")))
    return result


def _header_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise MalformedAnswerError(f"a header's value is a {type(value).__name__}")


def _listed(values: object) -> list[object]:
    if not isinstance(values, list):
        raise MalformedAnswerError("a multi-value header is not a list")
    return values
