"""What would admit a call whose decision is unknown: `allowed if aws:PrincipalOrgID is o-1234`."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from typing import TYPE_CHECKING

from backstairs.access.decision import decide
from backstairs.access.facts import NO_FACTS
from backstairs.access.gates import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backstairs.access.gates import Decision
    from backstairs.access.lacks import Lack
    from backstairs.access.model import Call

# With more, what they come to together is not looked for: each doubles the work.
MOST = 3
Conditions = tuple["Lack", ...]


def admitted_if(call: Call, decision: Decision) -> tuple[Conditions, ...]:
    """What would admit a call, for an unknown decision on it: any of these, all of each.

    Each is as small as can be; `Lack.holds` says what is asked of it. `((),)`: it is admitted
    whatever they are. Nothing: none of what the decision lacks would admit it, or it lacks more
    than `MOST` things.
    """
    lacks = tuple(dict.fromkeys(decision.lacks))
    if decision.verdict is not Verdict.UNKNOWN or not 0 < len(lacks) <= MOST:
        return ()
    worlds = [
        dict(zip(lacks, held, strict=True)) for held in product((True, False), repeat=len(lacks))
    ]
    worlds = [world for world in worlds if _is_possible(world)]
    admitted = [world for world in worlds if _admits(call, world)]
    found: list[dict[Lack, bool]] = []
    for said in _fewest_first(lacks):
        within = [world for world in worlds if said.items() <= world.items()]
        is_new = not any(smaller.items() <= said.items() for smaller in found)
        if within and is_new and all(world in admitted for world in within):
            found.append(said)
    return tuple(
        tuple(replace(lack, holds=holds) for lack, holds in said.items()) for said in found
    )


def _admits(call: Call, world: Mapping[Lack, bool]) -> bool:
    facts = call.facts or NO_FACTS
    told = replace(facts, holds={**facts.holds, **world})
    return decide(replace(call, facts=told)).verdict is Verdict.ALLOWED


def _fewest_first(lacks: Sequence[Lack]) -> Iterator[dict[Lack, bool]]:
    for number in range(len(lacks) + 1):
        for chosen in combinations(lacks, number):
            for held in product((True, False), repeat=number):
                yield dict(zip(chosen, held, strict=True))


def _is_possible(world: Mapping[Lack, bool]) -> bool:
    """Whether one value can be all that it is said to be: a key has one, and equals it or not."""
    equal = [lack for lack in world if lack.operator == "StringEquals" and _is_plain(lack)]
    for one, other in combinations(equal, 2):
        if one.key.lower() != other.key.lower():
            continue
        ours, theirs = set(one.values), set(other.values)
        if world[one] and world[other] and not ours & theirs:
            return False
        if (world[one] and not world[other] and ours <= theirs) or (
            world[other] and not world[one] and theirs <= ours
        ):
            return False
    return True


def _is_plain(lack: Lack) -> bool:
    return all(isinstance(value, str) and "${" not in value for value in lack.values)
