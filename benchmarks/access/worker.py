"""Decides a world's calls over and over, in a process of its own.

The world is the first line of standard input. Each further line holds how many rounds to make, and
whether each call asks for a path that was not asked for before; the answer is seconds of CPU, and
what was decided. Only what `backstairs.access` has had for long is used: an older commit runs it.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from backstairs.access import (
    Api,
    Authorization,
    Call,
    Endpoint,
    Origin,
    Policy,
    Principal,
    Route,
    decide,
    parse_policy,
)

Json = dict[str, Any]


def _policy(name: str, document: Json | None, *, of_resource: bool = False) -> Policy | None:
    return parse_policy(name, document, resource_based=of_resource) if document else None


def _api(body: Json) -> Api:
    return Api(
        api_id=body["id"],
        name=body["id"],
        stage=body["stage"],
        region=body["region"],
        account=body["account"],
        private=body["private"],
        policy=_policy("its policy", body["policy"], of_resource=True),
        routes=tuple(
            Route(method, path, Authorization(authorization), None)
            for method, path, authorization in body["routes"]
        ),
    )


def _principal(body: Json) -> Principal:
    return Principal(
        arn=body["arn"],
        principal_arn=body["principal_arn"],
        account=body["account"],
        kind=body["kind"],
        policies=tuple(parse_policy("a grant", one) for one in body["policies"]),
    )


def _origin(body: Json) -> Origin:
    if body["endpoint"] is None:
        return Origin(body["name"], None, body["address"])
    own = _policy("its policy", body["policy"], of_resource=True)
    return Origin(body["name"], Endpoint(body["endpoint"], body["vpc"], own), body["address"])


def calls_of(world: Json) -> list[Call]:
    """The calls of a world, at one moment."""
    apis, origins = [*map(_api, world["apis"])], [*map(_origin, world["origins"])]
    principals, now = [*map(_principal, world["principals"])], datetime.now(UTC)
    calls = []
    for origin, number, route, who, path in world["calls"]:
        api = apis[number]
        caller = None if who is None else principals[who]
        one = api.routes[route]
        method = "GET" if one.method == "ANY" else one.method
        calls.append(Call(origins[origin], method, path, api, one, caller, now=now))
    return calls


def main() -> None:
    """Answer until the input ends."""
    calls = calls_of(json.loads(sys.stdin.readline()))
    made = 0
    for line in sys.stdin:
        rounds, is_fresh = json.loads(line)
        given = []
        for _ in range(rounds):
            made += 1
            given += (
                [replace(one, path=f"{one.path}{made}") for one in calls] if is_fresh else calls
            )
        gc.collect()
        started = time.process_time()
        for one in given:
            decide(one)
        used = time.process_time() - started
        verdicts = Counter(decide(one).verdict.value for one in calls)
        print(json.dumps({"seconds": used / len(given), "verdicts": verdicts}), flush=True)


if __name__ == "__main__":
    main()
