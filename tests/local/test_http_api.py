"""HTTP APIs at the door, over real sockets: routes, refusals, payload 2.0, throttles."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from typing import Any

import pytest

from backstairs.access import Api, Authorization, Kind, Route
from backstairs.gateway.integrations.integration import Integration
from backstairs.gateway.stage import Method
from backstairs.gateway.usage import Throttle
from backstairs.runtime.pool import Result
from tests.local.public_door import (
    CREDENTIALS,
    FUNCTION,
    HOST,
    OneIdentity,
    PublicDoor,
    api,
    signed,
    throttled,
)

BINARY = random.Random(5).randbytes(4_000_000)  # noqa: S311 - any bytes will do
OPEN, IAM = Authorization.NONE, Authorization.AWS_IAM


def route(key: str, authorization: Authorization = OPEN) -> Route:
    """A route by its key, as `GET /x`."""
    method, _, path = key.partition(" ")
    return Route(method if path else "ANY", path or method, authorization, FUNCTION)


def http_api(*routes: Route, stage: str = "$default") -> Api:
    """An HTTP API; with nothing given, `POST /webhooks/github` and a signed `/partner/{path+}`."""
    routes = routes or (route("POST /webhooks/github"), route("ANY /partner/{path+}", IAM))
    return api(*routes, kind=Kind.HTTP, stage=stage)


def event_of(door: PublicDoor) -> dict[str, Any]:
    """The last event that the function was given."""
    return door.function.events[-1]


def test_an_event_in_full() -> None:
    """Every field of payload 2.0, in API Gateway's names; what is absent is left out."""
    with PublicDoor(http_api(route("POST /hooks/{id}"), stage="dev")) as door:
        answer = door.call(
            "POST",
            "/dev/hooks/a%20b?x=1&y=%26&x=2",
            [
                ("Content-Type", "application/json; charset=utf-8"),
                ("X-Twice", "one"),
                ("X-Twice", "two"),
                ("Cookie", "a=1; b=2"),
                ("User-Agent", "a client"),
                ("X-Forwarded-For", "192.0.2.66"),
            ],
            b'{"ok": true}',
        )
        event = event_of(door)

    assert answer.status == 200
    context = event.pop("requestContext")
    assert event.pop("headers").keys() >= {"x-amzn-trace-id"}
    assert event == {
        "version": "2.0",
        "routeKey": "POST /hooks/{id}",
        "rawPath": "/dev/hooks/a b",
        "rawQueryString": "x=1&y=%26&x=2",
        "cookies": ["a=1", "b=2"],
        "queryStringParameters": {"x": "1,2", "y": "&"},
        "pathParameters": {"id": "a b"},
        "body": '{"ok": true}',
        "isBase64Encoded": False,
    }
    assert context.pop("requestId") == answer.header("apigw-requestid")
    assert context.pop("time").endswith("+0000")
    assert context.pop("timeEpoch") > 0
    assert context == {
        "accountId": "123456789012",
        "apiId": "a1b2c3d4e5",
        "domainName": HOST,
        "domainPrefix": "a1b2c3d4e5",
        "http": {
            "method": "POST",
            "path": "/dev/hooks/a b",
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.10",
            "userAgent": "a client",
        },
        "routeKey": "POST /hooks/{id}",
        "stage": "dev",
    }


def test_headers_of_an_event() -> None:
    """In lower case, repetitions joined; the client's address comes behind its own word."""
    with PublicDoor(http_api(route("$default"))) as door:
        door.call("GET", "/", [("X-Twice", "1"), ("x-twice", "2"), ("X-Forwarded-For", "x")])
        headers = event_of(door)["headers"]

    assert headers["x-twice"] == "1,2"
    assert headers["x-forwarded-for"] == "x, 203.0.113.10"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", "443")
    assert headers["host"] == HOST
    assert all(name == name.lower() for name in headers)


def test_a_request_with_nothing_in_it() -> None:
    """No body, no query, no cookies, no parameters: no such fields."""
    with PublicDoor(http_api(route("$default"))) as door:
        door.call("GET", "/")
        event = event_of(door)

    absent = {"body", "cookies", "queryStringParameters", "pathParameters"}
    assert not absent & event.keys()
    assert (event["rawPath"], event["rawQueryString"]) == ("/", "")


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("application/json", True),
        ("text/csv; charset=utf-8", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("application/x-www-form-urlencoded", False),
        ("application/octet-stream", False),
        ("multipart/form-data; boundary=x", False),
        (None, False),
    ],
)
def test_bodies_are_text_by_their_type(content_type: str | None, *, text: bool) -> None:
    """As they were seen at a live API."""
    headers = [("Content-Type", content_type)] if content_type else []
    with PublicDoor(http_api(route("$default"))) as door:
        door.call("POST", "/", headers, b"a body")

        assert event_of(door)["isBase64Encoded"] is not text
        assert door.body_of() == b"a body"


def test_a_binary_body() -> None:
    """Byte for byte there and back."""
    with PublicDoor(http_api(route("$default"))) as door:
        door.function.answer = {
            "statusCode": 200,
            "headers": {"content-type": "application/octet-stream"},
            "body": base64.b64encode(BINARY).decode(),
            "isBase64Encoded": True,
        }
        answer = door.call("POST", "/", [], BINARY)

        digests = {hashlib.sha256(one).hexdigest() for one in (answer.body, door.body_of(), BINARY)}
        assert len(digests) == 1


PETS = ("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default")


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
        ("POST", "/test/5", "ANY /{proxy+}"),
        ("POST", "/pets/dog/1", "ANY /{proxy+}"),
        ("GET", "/", "$default"),
        ("GET", "//pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/%31", "GET /pets/dog/1"),
        ("GET", "/pets/x%0Ay", "GET /pets/{proxy+}"),
        ("GET", "/pets/%0A", "GET /pets/{proxy+}"),
    ],
)
def test_the_most_specific_route(method: str, path: str, key: str) -> None:
    """The examples of the developer guide, and of public reports."""
    with PublicDoor(http_api(*map(route, PETS))) as door:
        door.call(method, path)

        assert event_of(door)["routeKey"] == key


@pytest.mark.parametrize(
    ("sent", "raw", "parameter"),
    [
        ("/x/a%2Fb", "/x/a/b", "a/b"),
        ("/x/a%252Fb", "/x/a%252Fb", "a%252Fb"),
        ("/x/%C3%A4", "/x/ä", "ä"),
        ("/x/%FF", "/x/�", "�"),
        ("/x/a+b", "/x/a+b", "a+b"),
        ("/x/a%3Fb", "/x/a", "a?b"),
        ("/x/a%23b", "/x/a#b", "a#b"),
        ("/x//y", "/x//y", "/y"),
        ("/x/../y", "/x/../y", "../y"),
    ],
)
def test_paths_are_decoded(sent: str, raw: str, parameter: str) -> None:
    """Every escape but that of the percent sign itself."""
    with PublicDoor(http_api(route("ANY /x/{path+}"))) as door:
        door.call("GET", sent)

        event = event_of(door)
        assert (event["rawPath"], event["pathParameters"]) == (raw, {"path": parameter})


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/webhooks/github"), ("POST", "/webhooks/github/"), ("GET", "/nothing"), ("GET", "/")],
)
def test_no_such_route(method: str, path: str) -> None:
    """404, in an HTTP API's words and headers."""
    with PublicDoor(http_api()) as door:
        answer = door.call(method, path)

        assert (answer.status, answer.body) == (404, b'{"message":"Not Found"}')
        assert answer.header("apigw-requestid")
        assert answer.header("x-amzn-errortype") is None
        assert door.why() == ["http-unknown-route"]


def test_no_such_stage() -> None:
    """A stage that an HTTP API does not have is Not Found too."""
    with PublicDoor(http_api(stage="dev")) as door:
        assert door.call("POST", "/prod/webhooks/github").status == 404
        assert door.call("POST", "/dev/webhooks/github").status == 200


def test_who_is_signed_and_granted() -> None:
    """The grant admits; the event says who calls, and has no signature."""
    path = "/partner/claims"
    with PublicDoor(http_api()) as door:
        answer = door.call("GET", path, signed("GET", path))

        assert answer.status == 200
        iam = event_of(door)["requestContext"]["authorizer"]["iam"]
        assert iam["userArn"] == "arn:aws:iam::123456789012:role/partner"
        assert (iam["accessKey"], iam["accountId"]) == (CREDENTIALS.access_key, "123456789012")
        assert "authorization" not in event_of(door)["headers"]


def test_who_is_refused() -> None:
    """Unsigned, forged, without a grant: 403 Forbidden, and nothing else is said."""
    hooks = http_api(route("ANY /partner/{path+}", IAM), route("ANY /other", IAM))
    forged = [("Authorization", "AWS4-HMAC-SHA256 Credential=x")]
    calls = [
        ("/partner/x", [], "unsigned-on-iam"),
        ("/partner/x", forged, "signature"),
        ("/partner/x", signed("GET", "/partner/y"), "signature"),
        ("/other", signed("GET", "/other"), "iam-same-account"),
    ]
    with PublicDoor(hooks) as door:
        for path, headers, rule in calls:
            answer = door.call("GET", path, headers)
            assert (answer.status, answer.body) == (403, b'{"message":"Forbidden"}')
            assert answer.header("x-amzn-errortype") is None
            assert door.why()[-1] == rule
            assert "http-forbidden" in door.why()
        assert door.function.events == []


def test_another_account_is_refused() -> None:
    """Its own grant is not enough where no resource policy can invite it."""
    path = "/partner/claims"
    with PublicDoor(http_api(), identities=OneIdentity("210987654321")) as door:
        assert door.call("GET", path, signed("GET", path)).status == 403
        assert door.why()[-1] == "iam-other-account"


def test_not_through_an_endpoint() -> None:
    """An execute-api endpoint answers for private APIs alone."""
    with PublicDoor(http_api()) as door:
        answer = door.call("POST", "/webhooks/github", port=door.endpoint_port)

        assert answer.status == 403
        assert door.why() == ["public-not-through-endpoints"]


@pytest.mark.parametrize("kind", [Authorization.CUSTOM, Authorization.COGNITO_USER_POOLS])
def test_authorizers_are_not_modelled(kind: Authorization) -> None:
    """Nobody is let in, and nobody is told that AWS would refuse."""
    with PublicDoor(http_api(route("$default", kind))) as door:
        assert door.call("GET", "/").status == 501
        assert door.function.events == []


@pytest.mark.parametrize(
    ("said", "status", "content_type", "body"),
    [
        ("Hello", 200, "application/json", b"Hello"),
        ({"hello": "world"}, 200, "application/json", b'{"hello": "world"}'),
        ([1], 200, "application/json", b"[1]"),
        (None, 200, "application/json", b"null"),
        ({"statusCode": 201}, 201, "text/plain; charset=utf-8", b""),
        ({"statusCode": 204, "body": "x"}, 204, None, b""),
        (
            {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": "<p>"},
            200,
            "text/html",
            b"<p>",
        ),
    ],
)
def test_answers(said: object, status: int, content_type: str | None, body: bytes) -> None:
    """One without a status is the body of a 200; the others are what they say."""
    with PublicDoor(http_api(route("$default"))) as door:
        door.function.answer = said
        answer = door.call("GET", "/")

        assert (answer.status, answer.body) == (status, body)
        assert answer.header("content-type") == content_type


def test_cookies_of_an_answer() -> None:
    """Each becomes a Set-Cookie of its own."""
    with PublicDoor(http_api(route("$default"))) as door:
        door.function.answer = {"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"], "body": ""}
        answer = door.call("GET", "/")

        cookies = [value for name, value in answer.headers if name == "set-cookie"]
        assert cookies == ["a=1; Path=/", "b=2"]


@pytest.mark.parametrize(
    "said",
    [
        {"statusCode": "many"},
        {"statusCode": 200, "body": {}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
        Result(b"{}", "Runtime.ExitError"),
        Result(b"{"),
    ],
)
def test_a_broken_function(said: object) -> None:
    """500, in an HTTP API's words."""
    with PublicDoor(http_api(route("$default"))) as door:
        door.function.answer = said
        answer = door.call("GET", "/")

        assert (answer.status, answer.message) == (500, "Internal Server Error")


@pytest.mark.parametrize("size", [10 * 1024 * 1024 + 1, 10 * 1024 * 1024])
def test_bodies_that_are_too_long(size: int) -> None:
    """At the API and at the function."""
    with PublicDoor(http_api(route("$default"))) as door:
        answer = door.call("POST", "/", [], bytes(size))

        assert (answer.status, answer.message) == (413, "Request Entity Too Large")


def test_throttles() -> None:
    """The stage's numbers for each route, and a route's own."""
    throttles = {
        ("*", "*"): Throttle(rate=1, burst=2),
        ("POST", "/webhooks/github"): Throttle(rate=0, burst=1),
    }
    with PublicDoor(http_api(route("$default"), route("POST /webhooks/github"))) as unlimited:
        assert {unlimited.call("GET", "/").status for _ in range(9)} == {200}
    routes = route("$default"), route("POST /webhooks/github")
    with PublicDoor(http_api(*routes), throttled(throttles, *routes)) as door:
        assert [door.call("GET", "/").status for _ in range(3)] == [200, 200, 429]
        assert [door.call("POST", "/webhooks/github").status for _ in range(2)] == [200, 429]
        answer = door.call("POST", "/webhooks/github")
        assert json.loads(answer.body) == {"message": "Too Many Requests"}
        assert door.why()[-1] == "throttled-route"
        door.clock.now += 1
        assert door.call("GET", "/").status == 200


def test_an_integration_that_is_not_modelled() -> None:
    """Payload 1.0 of an HTTP API: nothing is claimed about it."""
    method = Method(route("$default"), integration=Integration("payload 1.0 is not modelled"))
    with PublicDoor(http_api(method.route), (method,)) as door:
        assert door.call("GET", "/").status == 501


@pytest.mark.parametrize(("own", "status"), [(0.2, 503), (5, 200)])
def test_an_integrations_own_timeout(own: float, status: int) -> None:
    """It holds where it is shorter than the limit of 30 seconds."""
    method = Method(route("$default"), integration=Integration(timeout=own))
    with PublicDoor(http_api(method.route), (method,)) as door:
        door.function.seconds = 1
        assert door.call("GET", "/").status == status
