"""What clients may use of an API: usage plans, the throttles of stages, and their count.

Source: API Gateway Developer Guide, "Throttle requests to your REST APIs for better throughput",
"Usage plans and API keys for REST APIs" and "Throttle HTTP API requests".
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from backstairs.access import Decision, Reason, limits, refusals
from backstairs.access.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from backstairs.access import Api, ApiKey, Route, Rule

# A region's own limits, where only one of the two is set.
_DEFAULT_RATE, _DEFAULT_BURST = 10_000.0, 5_000.0


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket: `rate` requests a second go in, at most `burst` are in it."""

    rate: float
    burst: float

    @classmethod
    def read(cls, rate: Any, burst: Any) -> Throttle | None:
        """From numbers as API Gateway gives them; None where neither limits anything."""
        given = [None if one is None or float(one) < 0 else float(one) for one in (rate, burst)]
        if given == [None, None]:
            return None
        return cls(
            _DEFAULT_RATE if given[0] is None else given[0],
            _DEFAULT_BURST if given[1] is None else given[1],
        )


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `limit` requests in each DAY, WEEK or MONTH; `offset` fewer in the first one."""

    limit: int
    period: str
    offset: int = 0

    def start(self, moment: datetime) -> datetime:
        """When the period began that holds a moment; a week begins on Sunday."""
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.period == "MONTH":
            return day.replace(day=1)
        return day - timedelta(days=day.isoweekday() % 7) if self.period == "WEEK" else day


# A method's throttle is found under (method, resource path); `*` stands for every one.
Throttles = dict[tuple[str, str], Throttle]


@dataclass(frozen=True, slots=True)
class Plan:
    """A usage plan. `methods` holds its throttles of single methods by (API id, stage)."""

    plan_id: str
    name: str
    throttle: Throttle | None = None
    quota: Quota | None = None
    methods: Mapping[tuple[str, str], Throttles] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """An API key of the account with the usage plan of each stage, by (API id, stage)."""

    key: ApiKey
    plans: Mapping[tuple[str, str], Plan]


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


@dataclass(slots=True)
class _Count:
    start: datetime
    used: int


class Usage:
    """Counts the calls that are admitted, and refuses those beyond a limit.

    `clock` gives seconds since the epoch. A refused call takes nothing from any bucket or quota.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, ...], _Bucket] = {}
        self._counts: dict[tuple[str, str], _Count] = {}

    def limited(
        self,
        admitted: Decision,
        api: Api,
        route: Route,
        known: KnownKey | None,
        throttle: Throttle | None,
    ) -> Decision:
        """The decision on an admitted call, once its limits are looked at.

        `known` is the key that the call was admitted with; `throttle` the stage's for the route.
        """
        now = self._clock()
        plan = known.plans.get((api.api_id, api.stage)) if known else None
        key_id = known.key.key_id if known else ""
        taken: list[_Bucket] = []
        if plan is not None:
            refused = self._by_plan(
                admitted, plan, key_id, api=api, route=route, now=now, taken=taken
            )
            if refused is not None:
                return refused
        name = ("stage", api.api_id, api.stage, route.method, route.path)
        if throttle is not None and not self._has_token(name, throttle, now, taken):
            text = f"{_said(throttle)} of {route.method} {route.path} are used up"
            if plan is not None:
                combined = Reason(limits.THROTTLES_COMBINED, f"plan {plan.name} left it some")
                admitted = admitted.because(combined)
            rest = api.kind is Kind.REST
            rule = limits.THROTTLED_BY_STAGE if rest else limits.THROTTLED_ROUTE
            return _refused(admitted, rule, text)
        for bucket in taken:
            bucket.tokens -= 1
        if plan is not None and plan.quota is not None:
            self._counts[plan.plan_id, key_id].used += 1
        return admitted

    def _by_plan(
        self,
        admitted: Decision,
        plan: Plan,
        key_id: str,
        *,
        api: Api,
        route: Route,
        now: float,
        taken: list[_Bucket],
    ) -> Decision | None:
        """The refusal by a usage plan, or None; the buckets that were looked at are in `taken`."""
        here = (api.api_id, api.stage)
        own = throttle_of(route, plan.methods.get(here, {}))
        method = (route.method, route.path)
        checks = [
            ((*here, *method), own, f"API key {key_id}, {route.method} {route.path}"),
            ((), plan.throttle, f"API key {key_id}"),
        ]
        for place, throttle, what in checks:
            name = ("plan", plan.plan_id, key_id, *place)
            if throttle is not None and not self._has_token(name, throttle, now, taken):
                text = f"{what}: {_said(throttle)} of usage plan {plan.name} are used up"
                return _refused(admitted, limits.THROTTLED_BY_PLAN, text)
        if plan.quota is None or self._has_quota(plan, plan.quota, key_id, now):
            return None
        text = (
            f"API key {key_id} has made its {plan.quota.limit} requests of this "
            f"{plan.quota.period.lower()} by usage plan {plan.name}"
        )
        since = self._counts[plan.plan_id, key_id].start.date().isoformat()
        counted = Reason(limits.QUOTA_COUNTS_ADMITTED, f"counted since {since}, UTC")
        over = Reason(limits.QUOTA, text)
        return admitted.because(counted).refused(over, refusals.QUOTA_EXCEEDED)

    def _has_token(
        self, name: tuple[str, ...], throttle: Throttle, now: float, taken: list[_Bucket]
    ) -> bool:
        bucket = self._buckets.setdefault(name, _Bucket(throttle.burst, now))
        gained = max(0.0, now - bucket.filled) * throttle.rate
        bucket.tokens = min(throttle.burst, bucket.tokens + gained)
        bucket.filled = now
        taken.append(bucket)
        return bucket.tokens >= 1

    def _has_quota(self, plan: Plan, quota: Quota, key_id: str, now: float) -> bool:
        start = quota.start(datetime.fromtimestamp(now, UTC))
        count = self._counts.get((plan.plan_id, key_id))
        if count is None:
            # The offset is used already, in the first period alone.
            count = _Count(start, quota.offset)
        elif count.start != start:
            count = _Count(start, 0)
        self._counts[plan.plan_id, key_id] = count
        return count.used < quota.limit


def throttle_of(route: Route, throttles: Throttles) -> Throttle | None:
    """The throttle that holds for a route: its own, that of its path, or that of all."""
    places = ((route.method, route.path), ("*", route.path), ("*", "*"))
    return next((throttles[place] for place in places if place in throttles), None)


def _said(throttle: Throttle) -> str:
    return f"the {throttle.rate:g} requests/s (burst {throttle.burst:g})"


def _refused(admitted: Decision, rule: Rule, text: str) -> Decision:
    return admitted.refused(Reason(rule, text), refusals.TOO_MANY)
