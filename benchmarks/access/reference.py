"""A second opinion on who may call, and whether `backstairs.access.decide` is of the same.

    .venv/local/bin/python -m benchmarks.access.reference [CELLS]

`reference_rules` was written from AWS's documents by somebody who had not read `backstairs.access`.
Both are asked about the same random worlds. Every disagreement is printed with its world, and exit
status 1 says that there is one. The same CELLS give the same worlds and figures.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import asdict
from itertools import count, product
from typing import TYPE_CHECKING

from backstairs.access import (
    Api,
    Authorization,
    Call,
    Endpoint,
    Origin,
    Principal,
    Route,
    decide,
    parse_policy,
)
from benchmarks.access.reference_rules import UNKNOWN, readings, routed, verdict
from benchmarks.access.reference_worlds import (
    ACCOUNT,
    API_ID,
    PATHS,
    REGION,
    STAGE,
    VERBS,
    Request,
    drawn,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backstairs.access import Policy
    from benchmarks.access.reference_worlds import Document, Place, Role, World

CELLS, SHOWN, PAUSE = 100_000, 10, 10
# Where AWS's documents say two things (`reference_rules.Reading`), it leaves each statement open by
# itself: two that no one reading brings together are unknown to it, and decided for the reference.
PER_UNKNOWN = 1_000


class Subject:
    """`backstairs.access` on one world."""

    def __init__(self, world: World) -> None:
        kinds = {True: Authorization.AWS_IAM, False: Authorization.NONE}
        self.routes = tuple(
            Route(verb, path, kinds[is_signed], None) for verb, path, is_signed in world.routes
        )
        self.api = Api(
            api_id=API_ID,
            name="Api",
            stage=STAGE,
            region=REGION,
            account=ACCOUNT,
            private=world.private,
            policy=next(iter(_read([world.policy], resource_based=True)), None),
            routes=self.routes,
        )
        self.origins = {place.address: _origin(place) for place in world.places}
        self.callers = {role.arn: _principal(role) for role in world.roles}

    def verdict(self, request: Request, route: int) -> tuple[str, list[str]]:
        """The verdict, and its reasons."""
        call = Call(
            self.origins[request.place.address],
            request.verb,
            request.path,
            self.api,
            self.routes[route],
            caller=self.callers[request.role.arn] if request.role else None,
        )
        decision = decide(call)
        return decision.verdict.value, [reason.text for reason in decision.reasons]


def _read(
    documents: Iterable[Document | None], *, resource_based: bool = False
) -> tuple[Policy, ...]:
    """Those that are there."""
    return tuple(
        parse_policy(f"policy {number}", each, resource_based=resource_based)
        for number, each in enumerate(documents, 1)
        if each
    )


def _origin(place: Place) -> Origin:
    if not (place.endpoint and place.vpc):
        return Origin("internet", source_ip=place.address)
    policy = next(iter(_read([place.policy], resource_based=True)), None)
    endpoint = Endpoint(place.endpoint, place.vpc, policy)
    return Origin(place.endpoint, endpoint, source_ip=place.address)


def _principal(role: Role) -> Principal:
    return Principal(
        arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/session",
        principal_arn=role.arn,
        account=role.account,
        kind="AssumedRole",
        policies=_read(role.identity),
        limits=_read([role.boundary]),
        session=_read(role.session),
        tags=role.tags,
    )


def cells(world: World) -> Iterator[tuple[Request, int]]:
    """Each request of a world that has a route, and that route's place."""
    calls = {
        (each, path)
        for verb, pattern, _ in world.routes
        for path in PATHS[pattern]
        for each in (VERBS if verb == "ANY" else [verb])
    }
    for (verb, path), place, role in product(sorted(calls), world.places, (None, *world.roles)):
        if (route := routed(world, verb, path)) is not None:
            yield Request(role, place, verb, path), route


def compare(wanted: int) -> tuple[Counter[tuple[str, str, str]], int]:
    """How often which two verdicts met, and why ours was unknown; and in how many worlds."""
    met: Counter[tuple[str, str, str]] = Counter()
    shown, told = 0, time.monotonic()
    for number in count():
        if met.total() >= wanted:
            return met, number
        if time.monotonic() - told > PAUSE:
            told = time.monotonic()
            print(f"  {met.total():,} cells", file=sys.stderr, flush=True)
        world = drawn(number)
        subject, ways = Subject(world), readings(world)
        for request, route in cells(world):
            expected, why = verdict(world, request, route, ways)
            said, reasons = subject.verdict(request, route)
            met[expected, said, why] += 1
            if expected != said and shown < SHOWN:
                shown += 1
                print(f"world {number}: the reference says {expected}, backstairs {said}")
                print(json.dumps({"world": asdict(world), "call": asdict(request)}))
                print(*reasons, sep="\n")
    raise AssertionError


def main() -> int:
    """Print the figures; 1 where the two disagree, or where too much is unknown to ours alone."""
    met, worlds = compare(int(sys.argv[1]) if sys.argv[1:] else CELLS)
    print(f"{met.total():,} cells of {worlds:,} worlds")
    for (expected, said, why), number in sorted(met.items()):
        print(f"{number:9,}  reference {expected}, backstairs {said}" + (f": {why}" if why else ""))
    differing = {pair: number for pair, number in met.items() if pair[0] != pair[1]}
    unknown = sum(number for (_, said, _), number in differing.items() if said == UNKNOWN)
    disagreements = sum(differing.values()) - unknown
    print(f"{unknown:9,}  unknown to backstairs alone, at most 1 of {PER_UNKNOWN:,} cells")
    print(f"{disagreements:9,}  disagreements")
    return 1 if disagreements or unknown * PER_UNKNOWN > met.total() else 0


if __name__ == "__main__":
    raise SystemExit(main())
