"""The account's API keys and usage plans, as the account knows them now.

A key is looked up by the hash of its value, so how long it takes tells nothing of a value, and no
value is kept. Source: API Gateway API Reference, `GetApiKeys`, `GetUsagePlans`,
`GetUsagePlanKeys`; a key is of one usage plan for a stage ("Usage plans and API keys for REST
APIs"), and where it is of two, it is not known what holds.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from typing import TYPE_CHECKING, Any

from backstairs.access import ApiKey
from backstairs.account.client import pages
from backstairs.gateway.usage import KnownKey, Plan, Quota, Throttle, Throttles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backstairs.account.client import Account

_log = logging.getLogger(__name__)

REFRESH_SECONDS = 2.0
# An unknown key may have been made a moment ago, but guesses must not keep the account busy.
_PAUSE_SECONDS = 0.25


class AccountKeys:
    """Reads API keys from the account again and again.

    Raises OSError from `key_of` while the account does not answer: then no key can be told apart.
    """

    def __init__(self, account: Account) -> None:
        self._gateway = account.client("apigateway")
        self._keys: dict[bytes, KnownKey] = {}
        self._read_at = 0.0
        self._stale = False
        self._reading = asyncio.Lock()

    async def key_of(self, value: str) -> KnownKey | None:
        """The API key with a value, or None."""
        digest = _digest(value)
        asked = time.monotonic()
        if digest not in self._keys:
            async with self._reading:
                if self._read_at < asked - _PAUSE_SECONDS:
                    await self._refresh()
        if self._stale:
            raise ConnectionError("the account does not answer")
        return self._keys.get(digest)

    async def keep_fresh(self) -> None:
        """Follow changes of keys and usage plans until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            async with self._reading:
                await self._refresh()

    async def _refresh(self) -> None:
        # What is read is no younger than this: a key may be made while others are being listed.
        began = time.monotonic()
        try:
            self._keys = await asyncio.to_thread(self._read)
            self._stale = False
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on without keys
            if not self._stale:
                _log.warning("the account's API keys cannot be read: %s", type(error).__name__)
            self._stale = True
        self._read_at = began

    def _read(self) -> dict[bytes, KnownKey]:
        plans: dict[str, dict[tuple[str, str], Plan]] = {}
        doubtful: dict[str, set[tuple[str, str]]] = {}
        for found in pages(self._gateway, "get_usage_plans", "items"):
            plan = _plan(found)
            stages = [(stage["apiId"], stage["stage"]) for stage in found.get("apiStages", ())]
            for key in pages(
                self._gateway, "get_usage_plan_keys", "items", usagePlanId=found["id"]
            ):
                known = plans.setdefault(key["id"], {})
                doubtful.setdefault(key["id"], set()).update(known.keys() & set(stages))
                known.update(dict.fromkeys(stages, plan))
        return {
            _digest(key["value"]): KnownKey(
                ApiKey(
                    key_id=key["id"],
                    name=key.get("name", ""),
                    enabled=key["enabled"],
                    stages=frozenset(plans.get(key["id"], ())),
                    doubtful=frozenset(doubtful.get(key["id"], ())),
                ),
                plans.get(key["id"], {}),
            )
            for key in pages(self._gateway, "get_api_keys", "items", includeValues=True)
        }


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def _plan(found: Mapping[str, Any]) -> Plan:
    overall = found.get("throttle") or {}
    return Plan(
        plan_id=found["id"],
        name=found.get("name", ""),
        throttle=Throttle.read(overall.get("rateLimit"), overall.get("burstLimit")),
        quota=_quota(found.get("quota")),
        methods={
            (stage["apiId"], stage["stage"]): _methods(stage.get("throttle", {}).items())
            for stage in found.get("apiStages", ())
        },
    )


def _quota(found: Mapping[str, Any] | None) -> Quota | None:
    if not found:
        return None
    return Quota(int(found["limit"]), found["period"], int(found.get("offset", 0)))


def _methods(throttles: Iterable[tuple[str, Mapping[str, Any]]]) -> Throttles:
    """A stage's throttles of single methods, named `/path/METHOD`."""
    read = {}
    for name, numbers in throttles:
        path, _, method = name.rpartition("/")
        throttle = Throttle.read(numbers.get("rateLimit"), numbers.get("burstLimit"))
        if throttle is not None:
            read[method, path or "/"] = throttle
    return read
