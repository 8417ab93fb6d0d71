"""What a call led to: by the trace that both share, and by when they began."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.local.public_door import PublicDoor

HOOK = ("POST", "/dev/webhooks/github")
ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"


def call(door: PublicDoor, *traces: str) -> str:
    """Call with trace headers; the call's own id."""
    answer = door.call(*HOOK, [("X-Amzn-Trace-Id", trace) for trace in traces])
    assert answer.status == 200
    request_id = answer.header("x-amzn-requestid")
    assert request_id is not None
    return request_id


def led_to(door: PublicDoor, request_id: str) -> list[str]:
    """The ids of the calls that a call led to."""
    record = door.door.decisions.of(request_id)
    assert record is not None
    return [one.request_id for one in door.door.decisions.led_to(record)]


def sent_on(door: PublicDoor) -> str:
    """The trace header of the function's last event."""
    headers: dict[str, Any] = door.function.events[-1]["headers"]
    return str(headers["X-Amzn-Trace-Id"])


def test_a_call_leads_to_later_ones_only() -> None:
    """The inner call does not lead back to the outer one, nor do calls of other traces."""
    with PublicDoor() as door:
        outer = call(door, f"{ROOT};Parent=53995c3f42cd8ad8;Sampled=1")
        other = call(door)
        inner = call(door, f"Self=1-67891234-12456789abcdef012345678;{ROOT}")

        assert led_to(door, outer) == [inner]
        assert led_to(door, inner) == []
        assert led_to(door, other) == []


@pytest.mark.parametrize("trace", ["", "Root=", "Root=;Sampled=1", "Root=1-2-3", "mine", ";"])
def test_a_trace_without_a_root_gets_one(trace: str) -> None:
    """Otherwise calls that have nothing to do with each other would share it."""
    with PublicDoor() as door:
        first = call(door, trace)
        assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", sent_on(door))
        call(door, trace)

        assert led_to(door, first) == []


def test_a_good_trace_goes_on_as_it_is() -> None:
    """Whatever else stands beside its root."""
    with PublicDoor() as door:
        call(door, f"{ROOT};Parent=53995c3f42cd8ad8")

        assert sent_on(door) == f"{ROOT};Parent=53995c3f42cd8ad8"


def test_the_clients_address_comes_behind_its_own_word() -> None:
    """In X-Forwarded-For, however often it was sent; the function can tell the last for true."""
    with PublicDoor() as door:
        door.call(*HOOK, [("X-Forwarded-For", "10.0.0.1"), ("x-forwarded-for", "10.0.0.2, x")])
        event = door.function.events[-1]
        assert event["multiValueHeaders"]["X-Forwarded-For"] == [
            "10.0.0.1, 10.0.0.2, x, 203.0.113.10"
        ]
        assert event["requestContext"]["identity"]["sourceIp"] == "203.0.113.10"
        door.call(*HOOK)
        assert door.function.events[-1]["headers"]["X-Forwarded-For"] == "203.0.113.10"
