"""API keys, throttles and quotas at the door, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backstairs.access import parse_policy
from backstairs.account.api_keys import AccountKeys
from backstairs.account.client import Account
from backstairs.gateway.usage import Plan, Quota, Throttle
from tests.local.public_door import HOOKS, PARTNER, STAGE, PublicDoor, api, key, throttled

VALUE = "partner-key-value-000000000000"
OFFERED = [("X-Api-Key", VALUE)]
PLAN = Plan("p-1", "partners")


def test_a_key_lets_in_and_stands_in_the_event() -> None:
    """As API Gateway has it: value and id in the event, neither in the record."""
    with PublicDoor(keys={VALUE: key(PLAN)}) as door:
        answer = door.call(headers=OFFERED)

        assert answer.status == 200
        identity = door.function.events[0]["requestContext"]["identity"]
        assert (identity["apiKey"], identity["apiKeyId"]) == (VALUE, "k-1")
        assert door.why()[-1] == "api-key-of-stage"
        assert VALUE not in repr(vars(door.door.decisions))


def test_a_method_without_a_key_gives_none_away() -> None:
    """A key that nobody asked for is not looked at, and not in the event's identity."""
    with PublicDoor(keys={VALUE: key(PLAN)}) as door:
        answer = door.call("POST", "/dev/webhooks/github", OFFERED, b"{}")

        assert answer.status == 200
        identity = door.function.events[0]["requestContext"]["identity"]
        assert not {"apiKey", "apiKeyId"} & identity.keys()


@pytest.mark.parametrize(
    "headers", [[], [("X-Api-Key", VALUE + "x")], [("X-Api-Key", "")], OFFERED * 2]
)
def test_without_a_good_key_nobody_gets_in(headers: list[tuple[str, str]]) -> None:
    """None, a wrong one, an empty one, two: 403 Forbidden, and no function sees the request."""
    with PublicDoor(keys={VALUE: key(PLAN)}) as door:
        answer = door.call(headers=headers)

        assert (answer.status, answer.message) == (403, "Forbidden")
        assert answer.header("x-amzn-errortype") == "ForbiddenException"
        assert door.function.events == []
        assert door.why()[-1] == "api-key-of-stage"


def test_several_keys_are_refused_and_nobody_has_verified_that() -> None:
    """Even the same one twice; the reason says that it is not known of AWS."""
    with PublicDoor(keys={VALUE: key(PLAN)}) as door:
        assert door.call(headers=OFFERED * 2).status == 403
        assert door.why()[-2:] == ["api-key-once", "api-key-of-stage"]


def test_a_key_without_a_plan_or_disabled() -> None:
    """Both are Forbidden."""
    with PublicDoor(keys={"a": key(), "b": key(PLAN, enabled=False)}) as door:
        assert [door.call(headers=[("x-api-key", one)]).status for one in "ab"] == [403, 403]


def test_a_plans_burst_and_rate() -> None:
    """The bucket holds the burst, then fills at the rate; a refused call takes nothing from it."""
    plan = replace(PLAN, throttle=Throttle(rate=2, burst=3))
    with PublicDoor(keys={VALUE: key(plan)}) as door:
        assert [door.call(headers=OFFERED).status for _ in range(5)] == [200] * 3 + [429] * 2
        answer = door.call(headers=OFFERED)
        assert answer.message == "Too Many Requests"
        assert answer.header("x-amzn-errortype") == "TooManyRequestsException"
        assert door.why()[-1] == "throttled-by-plan"
        door.clock.now += 1
        assert [door.call(headers=OFFERED).status for _ in range(3)] == [200, 200, 429]


def test_a_plan_counts_each_key_by_itself() -> None:
    """One partner's burst is not another's."""
    plan = replace(PLAN, throttle=Throttle(rate=0, burst=1))
    with PublicDoor(keys={"a": key(plan, key_id="a"), "b": key(plan, key_id="b")}) as door:
        said = [door.call(headers=[("x-api-key", one)]).status for one in "aabb"]
        assert said == [200, 429, 200, 429]


def test_a_plans_throttle_of_one_method() -> None:
    """It holds beside the plan's own."""
    method = {("ANY", PARTNER.path): Throttle(rate=0, burst=1)}
    plan = replace(PLAN, throttle=Throttle(rate=0, burst=5), methods={STAGE: method})
    with PublicDoor(keys={VALUE: key(plan)}) as door:
        assert [door.call(headers=OFFERED).status for _ in range(2)] == [200, 429]


def test_a_stage_throttles_each_method() -> None:
    """The stage's numbers hold for every method by itself, a method's own come first."""
    throttles = {
        ("*", "*"): Throttle(rate=0, burst=2),
        ("POST", HOOKS.path): Throttle(rate=0, burst=1),
    }
    with PublicDoor(methods=throttled(throttles), keys={VALUE: key(PLAN)}) as door:
        hooks = [door.call("POST", "/dev/webhooks/github").status for _ in range(2)]
        partner = [door.call(headers=OFFERED).status for _ in range(3)]

        assert (hooks, partner) == ([200, 429], [200, 200, 429])
        # That the plan's limits are looked at first, and take nothing, nobody has verified.
        assert door.why()[-2:] == ["throttles-combined", "throttled-by-stage"]


def test_a_stage_that_lets_nothing_through() -> None:
    """Rate and burst of nothing refuse every call."""
    throttles = {("*", "*"): Throttle(rate=0, burst=0)}
    with PublicDoor(methods=throttled(throttles)) as door:
        assert door.call("POST", "/dev/webhooks/github").status == 429


@pytest.mark.parametrize(
    ("period", "until", "then"),
    [
        ("DAY", "2026-11-21T23:59:59", "2026-11-22T00:00:00"),
        ("WEEK", "2026-11-21T23:59:59", "2026-11-22T00:00:00"),
        ("MONTH", "2026-11-30T23:59:59", "2026-12-01T00:00:00"),
    ],
)
def test_a_quota(period: str, until: str, then: str) -> None:
    """So many requests in a period, and again in the next."""
    plan = replace(PLAN, quota=Quota(2, period))
    with PublicDoor(keys={VALUE: key(plan)}) as door:
        assert [door.call(headers=OFFERED).status for _ in range(3)] == [200, 200, 429]
        answer = door.call(headers=OFFERED)
        assert answer.message == "Limit Exceeded"
        assert answer.header("x-amzn-errortype") == "LimitExceededException"
        assert door.why()[-2:] == ["quota-counts-admitted", "quota"]
        door.clock.now = datetime.fromisoformat(until).replace(tzinfo=UTC).timestamp()
        assert door.call(headers=OFFERED).status == 429
        door.clock.now = datetime.fromisoformat(then).replace(tzinfo=UTC).timestamp()
        assert [door.call(headers=OFFERED).status for _ in range(3)] == [200, 200, 429]


def test_a_quotas_offset() -> None:
    """The first period has that many requests fewer."""
    plan = replace(PLAN, quota=Quota(3, "DAY", offset=2))
    with PublicDoor(keys={VALUE: key(plan)}) as door:
        assert [door.call(headers=OFFERED).status for _ in range(2)] == [200, 429]
        door.clock.now += 86_400
        assert [door.call(headers=OFFERED).status for _ in range(4)] == [200, 200, 200, 429]


def test_a_throttled_call_uses_no_quota() -> None:
    """Neither one that the plan throttles nor one that the stage does."""
    plan = replace(PLAN, throttle=Throttle(rate=1, burst=1), quota=Quota(3, "DAY"))
    throttles = {("*", "*"): Throttle(rate=1, burst=1)}
    with PublicDoor(methods=throttled(throttles), keys={VALUE: key(plan)}) as door:
        said = []
        for _ in range(4):
            said += [door.call(headers=OFFERED).status for _ in range(2)]
            door.clock.now += 1
        assert said == [200, 429] * 3 + [429, 429]
        assert door.why()[-1] == "quota"


def test_a_refused_call_counts_nowhere() -> None:
    """Who is not admitted cannot use up what others may have."""
    throttles = {("*", "*"): Throttle(rate=0, burst=1)}
    with PublicDoor(methods=throttled(throttles), keys={VALUE: key(PLAN)}) as door:
        assert [door.call().status for _ in range(5)] == [403] * 5
        assert door.call(headers=OFFERED).status == 200


def test_an_account_that_does_not_answer() -> None:
    """No key can be told apart then: an error, and not another 403."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    keys = AccountKeys(Account(f"http://127.0.0.1:{port}", "us-east-1"))

    with pytest.raises(OSError, match="the account does not answer"):
        asyncio.run(keys.key_of(VALUE))


class _Oddities:
    """An account whose answers have not the shape that they should have."""

    def __init__(self, plan: dict[str, object], **more: object) -> None:
        stages = [{"apiId": STAGE[0], "stage": STAGE[1]}]
        self._listed = {
            "get_usage_plans": [{"id": name, "apiStages": stages, **plan} for name in ("a", "b")],
            "get_usage_plan_keys": [{"id": "k-1"}],
            "get_api_keys": [{"id": "k-1", "value": VALUE, "enabled": True, **more}],
        }

    def client(self, _service: str) -> _Oddities:
        """Itself, as a client and as a paginator."""
        return self

    def get_paginator(self, operation: str) -> _Oddities:
        """For one operation."""
        self._operation = operation
        return self

    def paginate(self, **_options: object) -> list[dict[str, object]]:
        """One page."""
        return [{"items": self._listed[self._operation]}]


@pytest.mark.parametrize(
    "plan",
    [{"quota": {"limit": 1}}, {"quota": {"limit": "x", "period": "DAY"}}, {"quota": 7}],
)
def test_an_account_that_answers_oddly(
    plan: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """No key can be told apart, and the run goes on; the log names the error's type alone."""
    keys = AccountKeys(_Oddities(plan))  # type: ignore[arg-type]

    with pytest.raises(OSError, match="the account does not answer"):
        asyncio.run(keys.key_of(VALUE))

    assert "cannot be read" in caplog.text
    assert VALUE not in caplog.text


def test_a_key_in_two_plans_of_a_stage() -> None:
    """The door is told, so that neither plan's limits are taken for those that hold."""
    known = asyncio.run(AccountKeys(_Oddities({})).key_of(VALUE))  # type: ignore[arg-type]

    assert known is not None
    assert known.key.doubtful == {STAGE}
    with PublicDoor(keys={VALUE: known}) as door:
        assert door.call(headers=OFFERED).status == 501
        assert door.function.events == []


class _Slow(_Oddities):
    """An account that lists its keys half a second late: as they were when it was asked."""

    def paginate(self, **options: object) -> list[dict[str, object]]:
        """One page, or at first none of its keys."""
        page = super().paginate(**options)
        if self._operation == "get_api_keys" and not hasattr(self, "is_later"):
            self.is_later = True
            time.sleep(0.5)
            return [{"items": []}]
        return page


def test_a_key_that_was_made_while_the_keys_were_read() -> None:
    """They are read again for it: what was read is as old as the beginning of reading."""
    keys = AccountKeys(_Slow({}))  # type: ignore[arg-type]

    async def look_for_it() -> object:
        reading = asyncio.create_task(keys.key_of("another"))
        await asyncio.sleep(0.4)
        found = await keys.key_of(VALUE)
        await reading
        return found

    assert asyncio.run(look_for_it()) is not None


def test_an_allowlist_for_each_path() -> None:
    """The address decides for one path and not for the other; the key is asked for after it."""
    statements = [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": f"execute-api:/dev/{path}",
            "Condition": {"IpAddress": {"aws:SourceIp": cidr}},
        }
        for path, cidr in (("POST/webhooks/github", "192.0.2.0/24"), ("*/partner/*", "0.0.0.0/0"))
    ]
    policy = parse_policy("policy", {"Statement": statements}, resource_based=True)
    with PublicDoor(api(policy=policy), keys={VALUE: key(PLAN)}) as door:
        refused = door.call("POST", "/dev/webhooks/github")
        assert refused.status == 403
        assert "not authorized" in json.loads(refused.body)["Message"]
        assert door.call(headers=OFFERED).status == 200
        assert door.call().message == "Forbidden"
