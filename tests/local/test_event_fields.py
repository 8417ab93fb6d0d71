"""What a REST API's event holds, field by field, and how each is known.

Captures: public copies of events that live private APIs sent, of 2018 to 2024, in repositories and
reports; where there was a proxy before API Gateway, its headers are left out of account.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.access import Authorization, Route, parse_policy
from tests.local.public_door import FUNCTION, PublicDoor, api

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYBODY = parse_policy(
    "policy",
    {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}},
    resource_based=True,
)
OPEN = Route("POST", "/x/{id}", Authorization.NONE, FUNCTION)
HEADERS = [
    ("Accept", "*/*"),
    ("Connection", "close, X-Hop"),
    ("X-Hop", "1"),
    ("TE", "trailers"),
    ("X-Note", "kept"),
    ("x-amzn-vpce-id", "forged"),
]
# name: what stands for it in an event through an endpoint, and from the internet (None: nothing).
SENT = {
    "Accept": ("*/*", "*/*"),  # document
    "X-Note": ("kept", "kept"),  # document
    "Connection": (None, None),  # captures
    "X-Hop": (None, None),  # RFC 9110, section 7.6.1; unverified
    "Content-Length": (None, None),  # captures
    "TE": (None, None),  # captures
    "x-amzn-tls-version": ("TLSv1.2", None),  # captures; the version is unverified
    "x-amzn-cipher-suite": ("ECDHE-RSA-AES128-GCM-SHA256", None),  # captures
    "x-amzn-vpce-config": ("1", None),  # captures
    "X-Forwarded-Port": (None, "443"),  # captures
    "X-Forwarded-Proto": (None, "https"),  # captures
}


@pytest.fixture(scope="module", params=["endpoint", "internet"])
def way(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    """A way in, and the event of a call that came by it."""
    private = request.param == "endpoint"
    with PublicDoor(api(OPEN, policy=EVERYBODY, private=private)) as door:
        port = door.endpoint_port if private else None
        assert door.call("POST", "/dev/x/1", HEADERS, b"body", port=port).status == 200
        yield request.param, door.function.events[-1]


@pytest.mark.parametrize("name", SENT)
def test_a_header(name: str, way: tuple[str, dict[str, Any]]) -> None:
    """As it stands in both forms of the headers."""
    through, event = way
    expected = SENT[name][through == "internet"]
    assert event["headers"].get(name) == expected
    assert event["multiValueHeaders"].get(name) == (None if expected is None else [expected])


def test_a_trace_is_told_of_from_the_internet_alone(way: tuple[str, dict[str, Any]]) -> None:
    """Captures of private APIs have none."""
    through, event = way
    assert ("X-Amzn-Trace-Id" in event["headers"]) is (through == "internet")


def test_the_endpoint_is_api_gateways_word(way: tuple[str, dict[str, Any]]) -> None:
    """What the client says of it goes through from the internet, where there is none."""
    through, event = way
    forged = event["headers"].get("x-amzn-vpce-id") == "forged"
    assert forged is (through == "internet")


def test_the_request_context(way: tuple[str, dict[str, Any]]) -> None:
    """Ids in the form that captures have them: no API key where the method asks for none."""
    _, event = way
    context = event["requestContext"]
    assert context["deploymentId"] == "d-1"
    assert context["extendedRequestId"] != context["requestId"]
    assert len(base64.b64decode(context["extendedRequestId"], validate=True)) == 11
    assert not {"apiKey", "apiKeyId"} & context["identity"].keys()
