"""Whether "nobody else may call" misses a request: small worlds, every request tried.

    .venv/local/bin/python -m benchmarks.access.reference_witnesses [WORLDS]

In each world nobody is meant to call, so `backstairs.report.requests` has to give a request for
each route, caller and way in that admits one. The rules of `reference_rules` try every path of a
few characters, every verb, the world's callers and ways in, and some that the world does not name.
What they admit must have a witness; and what a witness claims, they must admit.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

from backstairs.access import Source
from backstairs.report.callers import Caller
from backstairs.report.entrances import Entrance
from backstairs.report.requests import Requests
from backstairs.template.model import DeclaredApi
from benchmarks.access.reference import Subject
from benchmarks.access.reference_rules import ALLOWED, REFUSED, readings, routed, verdict
from benchmarks.access.reference_worlds import (
    ACCOUNT,
    NAMES,
    TINY,
    VERBS,
    Place,
    Request,
    Role,
    drawn,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access import Call
    from backstairs.report.requests import Witness
    from benchmarks.access.reference_worlds import World

WORLDS, SHOWN = 200, 10
LETTERS, LENGTH = "ab/", 4
ANOTHER = "777788889999"
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}
# Which route, who, and from where: known ones by name, others by what they are.
Key = tuple[int, str, str]


def paths() -> list[str]:
    """All of `LETTERS`, up to `LENGTH` characters, without an empty segment."""
    ends = ("".join(each) for size in range(LENGTH) for each in product(LETTERS, repeat=size))
    return [f"/{end}" for end in ends if not end or "" not in end.split("/")]


def strangers(world: World) -> list[Role]:
    """Callers that a world may name in a policy, and does not have."""
    named = {**NAMES, "someone": ACCOUNT, "someone-else": ANOTHER}
    known = {role.name for role in world.roles}
    return [
        Role(name, account, grants, None, (), {})
        for name, account in named.items()
        if name not in known
        for grants in ((), (EVERYTHING,))
    ]


def places(world: World) -> list[Place]:
    """The world's own, and what it does not know of."""
    other = Place("vpce-9", "vpc-9", None, "10.77.0.1")
    return [*world.places, other if world.private else Place(None, None, None, "192.0.2.1")]


def admitted(world: World) -> dict[Key, Request]:
    """By trying them all: one request for each key that has one."""
    ways, found = readings(world), dict[Key, Request]()
    verbs = {each for verb, *_ in world.routes for each in (VERBS if verb == "ANY" else [verb])}
    callers = (None, *world.roles, *strangers(world))
    for path, verb, place, role in product(paths(), sorted(verbs), places(world), callers):
        route, request = routed(world, verb, path), Request(role, place, verb, path)
        if route is None or (key := _key(world, request, route)) in found:
            continue
        if verdict(world, request, route, ways)[0] == ALLOWED:
            found[key] = request
    return found


def _key(world: World, request: Request, route: int) -> Key:
    role, place = request.role, request.place
    known = {each.arn for each in world.roles}
    endpoints = {each.endpoint for each in world.places}
    if role is None or role.arn in known:
        who = role.arn if role else "nobody"
    else:
        who = "of this account" if role.account == ACCOUNT else "of another account"
    where = place.endpoint if place.endpoint in endpoints else "another endpoint"
    return route, who, where or "internet"


def witnesses(world: World) -> tuple[list[Witness], bool]:
    """Those of a claim that admits nobody; and whether all classes of requests were decided."""
    subject = Subject(world)
    api = DeclaredApi("Api", subject.api, Source("template.yaml", 1))
    callers = [Caller("nobody", None, "")]
    callers += [
        Caller(arn, principal, "", foreign=principal.account != ACCOUNT)
        for arn, principal in subject.callers.items()
    ]
    entrances = [Entrance(name, origin, "") for name, origin in subject.origins.items()]
    requests = Requests([api], callers, entrances, lambda _: False)
    return list(requests.witnesses()), requests.coverage.whole


def _request(world: World, call: Call) -> Request | None:
    """A witness's call in plain JSON; None for the root user, which no world has."""
    caller, endpoint = call.caller, call.origin.endpoint
    role: Role | None = None
    if caller:
        if ":role/" not in caller.principal_arn:
            return None
        known = {each.arn: each for each in world.roles}
        grants = (EVERYTHING,) if caller.policies else ()
        tags = {name: str(value) for name, value in caller.tags.items()}
        name = caller.principal_arn.rpartition("/")[2]
        stranger = Role(name, caller.account, grants, None, (), tags)
        role = known.get(caller.principal_arn, stranger)
    address = call.origin.source_ip or ("10.77.0.1" if endpoint else "192.0.2.1")
    place = Place(None, None, None, address)
    if endpoint:
        own = {each.endpoint: each.policy for each in world.places}
        policy = own.get(endpoint.endpoint_id)
        place = Place(endpoint.endpoint_id, endpoint.vpc_id, policy, address)
    return Request(role, place, call.method, call.path)


def check(world: World, met: Counter[str]) -> Iterator[str]:
    """What the two say differently of a world."""
    given, is_whole = witnesses(world)
    ways, keys = readings(world), dict[Key, bool]()
    for each in given:
        request = _request(world, each.call)
        if request is None:
            met["witnesses of a root user, not compared"] += 1
            continue
        if each.by_reading:
            # AWS says nothing of how it reads a path such as `/a/`; nor do the rules here.
            met["witnesses unknown by how a path is read, not compared"] += 1
            continue
        route = routed(world, request.verb, request.path)
        if route is None:
            yield f"a witness without a route: {each}"
            continue
        key = _key(world, request, route)
        keys[key] = keys.get(key, False) or each.admitted
        said, _ = verdict(world, request, route, ways)
        kind = "admitted" if each.admitted else "unknown"
        met[f"witnesses {kind}, the reference says {said}"] += 1
        if (each.admitted and said != ALLOWED) or said == REFUSED:
            yield f"a witness {kind}, the reference says {said}: {each}\n{request}"
    for key, request in admitted(world).items():
        if keys.get(key):
            met["kinds of requests admitted, with a witness"] += 1
        elif key in keys or not is_whole:
            met["kinds of requests admitted, said to be unknown or left out"] += 1
        else:
            yield f"no witness for {key}: {request}"


def main() -> int:
    """Print the figures; 1 where the two disagree."""
    worlds = int(sys.argv[1]) if sys.argv[1:] else WORLDS
    met, wrong = Counter[str](), 0
    for number in range(worlds):
        world = drawn(number, tuple(TINY))
        for difference in check(world, met):
            wrong += 1
            if wrong <= SHOWN:
                print(f"world {number}: {difference}\n{world}")
    print(f"{worlds:,} worlds, {len(paths())} paths each")
    for what, number in sorted(met.items()):
        print(f"{number:9,}  {what}")
    print(f"{wrong:9,}  disagreements")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
