"""Events as requests, from the sample events in both formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from forwarder.event import MalformedEventError, read

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("rest-get", "/orders/42"),
        ("rest-get-encoded", "/files/a%2Fb%20c/%C3%A9;v=1/"),
        ("rest-custom-domain", "/partner/orders"),
        ("rest-double-slash", "//evil.example.com/x"),
        ("rest-absolute-form", "/http://user@evil.example.com/x"),
        ("http-get", "/orders/42"),
        ("http-get-encoded", "/files/a/b%20c/%C3%A9/100%25/"),
    ],
)
def test_the_path_is_what_is_below_the_route(
    event: Callable[[str], Any], name: str, path: str
) -> None:
    """As it was sent (1.0) or encoded again (2.0), with a slash at its end, without the stage."""
    assert read(event(name)).path == path


def test_a_literal_route_has_nothing_below_it(event: Callable[[str], Any]) -> None:
    """The path of a route without a greedy parameter is empty, in both formats."""
    rest = event("rest-post-json") | {"resource": "/webhooks/github", "path": "/webhooks/github"}
    http = event("http-post-json") | {
        "routeKey": "POST /webhooks/github",
        "rawPath": "/dev/webhooks/github",
    }
    assert read(rest).path == read(http).path == ""


def test_a_decoded_parameter_does_as_well(event: Callable[[str], Any]) -> None:
    """Whether API Gateway decodes the parameter or not, the path is the one that was sent."""
    decoded = event("rest-get-encoded")
    decoded["pathParameters"] = {"path": "files/a/b c/é;v=1"}
    assert read(decoded).path == "/files/a%2Fb%20c/%C3%A9;v=1/"


@pytest.mark.parametrize(
    ("raw", "parameter", "path"),
    [
        ("/dev/partner/a", "a?b/c", "/a%3Fb/c"),
        ("/dev/partner/a", "a", "/a"),
        ("/dev/partner/100%25/%2541", "100%25/%2541", "/100%25/%2541"),
        ("/dev/partner/100%", "100%", "/100%25"),
        ("/v1/partner/partner/a/", "a", "/a/"),
        ("/partner/a/b", "other", "/a/b"),
    ],
)
def test_paths_of_http_apis(
    event: Callable[[str], Any], raw: str, parameter: str, path: str
) -> None:
    """What API Gateway leaves encoded stays so; what it cuts off is in the parameter."""
    http = event("http-get") | {"rawPath": raw, "pathParameters": {"path": parameter}}
    assert read(http).path == path


def test_a_decoded_parameter_below_a_base_path(event: Callable[[str], Any]) -> None:
    """A custom domain's base path stands before the route, and the parameter has a `%` in it."""
    odd = event("rest-get") | {
        "path": "/v1/partner/100%2541/",
        "pathParameters": {"path": "100%41"},
    }
    assert read(odd).path == "/100%2541/"


def test_octets_that_no_target_can_hold_are_encoded(event: Callable[[str], Any]) -> None:
    """Spaces, letters beyond ASCII, `#` and `?` in a path that came raw; nothing else changes."""
    sent = '/a b/é#?[x]|^`{}"<>\\~%41'
    raw = event("rest-get") | {"path": f"/partner{sent}", "pathParameters": {"path": sent[1:]}}
    assert read(raw).path == '/a%20b/%C3%A9%23%3F[x]|^`{}"<>\\~%41'


def test_every_query_parameter_with_all_its_values(event: Callable[[str], Any]) -> None:
    """1.0 encodes what came decoded; 2.0 leaves what came as it is."""
    expected = "status=open&status=late&q=a%20b%26c%3Dd%2F%C3%A9&empty="
    assert read(event("rest-get")).query == expected
    assert read(event("http-get")).query == "status=open&status=late&q=a%20b%26c+d&empty"


def test_a_query_in_2_0_cannot_end_the_line(event: Callable[[str], Any]) -> None:
    """What no request line can hold is encoded, and nothing is added to what can stand."""
    raw = event("http-get") | {"rawQueryString": "a=1\r\nHost: x&b=é#c&d=%0D%zz+"}
    assert read(raw).query == "a=1%0D%0AHost:%20x&b=%C3%A9%23c&d=%0D%zz+"


def test_single_values_do_where_there_are_no_others(event: Callable[[str], Any]) -> None:
    """An event without the multi-value fields has headers and a query all the same."""
    single = event("rest-get") | {
        "multiValueHeaders": None,
        "multiValueQueryStringParameters": None,
    }
    assert read(single).query == "status=late&q=a%20b%26c%3Dd%2F%C3%A9&empty="
    assert ("X-Tag", "two") in read(single).headers


def test_repeated_headers(event: Callable[[str], Any]) -> None:
    """1.0 gives each value, 2.0 one line for them, and cookies as one header."""
    rest = [value for name, value in read(event("rest-get")).headers if name == "X-Tag"]
    http = dict(read(event("http-get")).headers)
    assert rest == ["one", "two"]
    assert http["x-tag"] == "one,two"
    assert http["cookie"] == "a=1; b=2"


def test_cookies_are_sent_once(event: Callable[[str], Any]) -> None:
    """An event that has them in its list and as a header does not double them."""
    http = event("http-get")
    http["headers"]["Cookie"] = "a=1; b=2"
    cookies = [value for name, value in read(http).headers if name.lower() == "cookie"]
    assert cookies == ["a=1; b=2"]


def test_header_text_is_bytes(event: Callable[[str], Any]) -> None:
    """Latin-1 stays; what is none was UTF-8 and becomes its bytes."""
    odd = event("rest-get") | {"multiValueHeaders": {"X-A": ["café", "€"]}}
    assert read(odd).headers == (("X-A", "café"), ("X-A", "€".encode().decode("latin-1")))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("rest-put-binary", bytes(range(256))),
        ("http-put-binary", bytes(range(256))),
        ("rest-post-json", '{"name": "Ada", "note": "café"}'.encode()),
        ("http-post-json", '{"name": "Ada", "note": "café"}'.encode()),
        ("rest-patch-text", "café".encode()),
        ("rest-get", b""),
    ],
)
def test_bodies_are_bytes(event: Callable[[str], Any], name: str, body: bytes) -> None:
    """Text or base64, the body is the bytes that were sent."""
    assert read(event(name)).body == body


@pytest.mark.parametrize("name", ["rest-get", "http-get"])
def test_what_else_is_told(event: Callable[[str], Any], name: str) -> None:
    """Method, caller's address, the API's name, the request's id."""
    request = read(event(name))
    told = (request.method, request.source_ip, request.domain)
    assert told == ("GET", "203.0.113.7", "d1e2f3a4b5.execute-api.us-east-1.amazonaws.com")
    assert request.request_id == event(name)["requestContext"]["requestId"]
    assert request.payload == ("1.0" if name == "rest-get" else "2.0")


@pytest.mark.parametrize(
    "change",
    [
        {"requestContext": None},
        {"path": "/elsewhere/orders"},
        {"path": None},
        {"pathParameters": None},
        {"resource": "$default"},
        {"httpMethod": None, "requestContext": {}},
        {"body": "***", "isBase64Encoded": True},
        {"body": "\ud800"},
        {"headers": None, "multiValueHeaders": {"X-A": [1]}},
        {"headers": None, "multiValueHeaders": {1: ["a"]}},
        {"requestContext": {"requestId": 1}},
        {"requestContext": {"requestId": "r", "domainName": 1}},
        {"requestContext": {"requestId": "r", "identity": {"sourceIp": 1}}},
        {"httpMethod": 1},
    ],
    ids=str,
)
def test_what_is_no_event_is_refused(event: Callable[[str], Any], change: dict[str, Any]) -> None:
    """A malformed event is an error of its own, whose text shows nothing of the event."""
    with pytest.raises(MalformedEventError, match=r"^not a proxy event: [A-Za-z]+$"):
        read(event("rest-get") | change)


@pytest.mark.parametrize(
    "change",
    [{"method": 1, "sourceIp": "a"}, {"method": "GET", "sourceIp": ["a"]}, {"sourceIp": "a"}],
    ids=str,
)
def test_what_is_no_event_of_an_http_api(
    event: Callable[[str], Any], change: dict[str, Any]
) -> None:
    """The same for payload 2.0."""
    http = event("http-get")
    http["requestContext"]["http"] = change
    with pytest.raises(MalformedEventError, match=r"^not a proxy event: [A-Za-z]+$"):
        read(http)


@pytest.mark.parametrize("event", [None, [], "text", {}, {"version": "2.0"}])
def test_what_is_not_even_like_one(event: object) -> None:
    """Anything at all may be given to a function."""
    with pytest.raises(MalformedEventError):
        read(event)
