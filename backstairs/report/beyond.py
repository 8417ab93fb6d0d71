"""A contract and the requests that the matrix does not ask: nobody else, whoever and whatever.

Not counted, as long as they come by a way that the contract opens for somebody to the same API:
whoever holds a grant of everything in this account, and its root user. Grants admit them by design.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backstairs.access import Verdict, rules
from backstairs.access.facts import NO_FACTS, Facts
from backstairs.report.callers import ANONYMOUS, THIS_ACCOUNT, WITH_KEY
from backstairs.report.requests import FULL_GRANT, ROOT, Requests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstairs.access import Route
    from backstairs.report.callers import Caller
    from backstairs.report.contract import Contract, Rule
    from backstairs.report.matrix import Cell, Matrix
    from backstairs.report.requests import Witness

    _Place = tuple[str, Route, str, str]

READINGS = frozenset({rules.PATH_AS_SENT.name, rules.HTTP_PATHS.name})
"""What a contract accepts by name: that nobody says how a path that is not plain is read."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What of an application is open beyond its contract and its matrix.

    `opened` is, `unknown` may be; `left_out` says which requests could not be enumerated, and why;
    `accepted` likewise, those that the contract accepts.
    """

    opened: tuple[Cell, ...]
    unknown: tuple[Cell, ...]
    left_out: tuple[str, ...]
    accepted: tuple[str, ...]
    decided: int


def beyond(matrix: Matrix, contract: Contract, facts: Facts | None = None) -> Beyond:
    """Ask for every request that exists and of which no rule of the contract speaks."""
    kept = {one.name for one in contract.accepted}
    acceptances = [one.rule for one in contract.accepted if one.rule]

    def agreed(one: Witness) -> bool:
        return one.by_reading in kept or _is_accepted(one.cell, acceptances)

    search = Requests(
        matrix.application.apis,
        matrix.callers,
        matrix.entrances,
        lambda cell: _expected(cell, contract),
        named=_paths(contract),
        facts=facts or NO_FACTS,
        agreed=agreed,
    )
    known = _known(matrix, contract, acceptances)
    opened: list[Cell] = []
    unknown: list[Cell] = []
    for one in search.witnesses():
        if any(known.get(place) in (Verdict.ALLOWED, one.cell.verdict) for place in _places(one)):
            continue
        (opened if one.admitted else unknown).append(_shown(one, matrix))
    left_out = tuple(one for one in search.coverage.left_out if one not in kept)
    accepted = tuple(one for one in search.coverage.left_out if one in kept)
    decided = search.coverage.decided
    return Beyond(tuple(opened), tuple(unknown), left_out, accepted, decided)


def _known(
    matrix: Matrix, contract: Contract, acceptances: Sequence[Rule]
) -> dict[_Place, Verdict]:
    """What the matrix has found already, which is no news; what is accepted of it hides nothing."""
    return {
        _place(cell, cell.caller.name): cell.verdict
        for cell in sorted(matrix.cells, key=lambda cell: cell.verdict is Verdict.ALLOWED)
        if cell.verdict is not Verdict.REFUSED and not _expected(cell, contract)
        if cell.verdict is Verdict.ALLOWED or not any(rule.covers(cell) for rule in acceptances)
    }


def _places(witness: Witness) -> list[_Place]:
    """Where the matrix may have it."""
    return [_place(witness.cell, name) for name in _names(witness.cell.caller)]


def _names(caller: Caller) -> tuple[str, ...]:
    """Whose calls it may make: what anybody may, whoever is granted everything may."""
    return (caller.name, *((THIS_ACCOUNT, ANONYMOUS) if _is_powerful(caller) else ()))


def _is_accepted(cell: Cell, acceptances: Sequence[Rule]) -> bool:
    """Whether it may stay unknown."""
    alike = [replace(cell, caller=replace(cell.caller, name=one)) for one in _names(cell.caller)]
    return any(rule.covers(one) for one in alike for rule in acceptances)


def _expected(cell: Cell, contract: Contract) -> bool:
    if _is_powerful(cell.caller):
        name, way = cell.question.api.name, cell.entrance.name
        return any(one.api == name and one.where.cover(way) for one in contract.rules)
    return any(rule.covers(cell) for rule in contract.rules)


def _is_powerful(caller: Caller) -> bool:
    return caller.name.removesuffix(WITH_KEY) in (FULL_GRANT, ROOT)


def _place(cell: Cell, caller: str) -> _Place:
    return cell.question.api.name, cell.question.route, caller, cell.entrance.name


def _paths(contract: Contract) -> set[str]:
    said = (*contract.rules, *(one.rule for one in contract.accepted if one.rule))
    return {one.path for one in said if one.path}


def _shown(witness: Witness, matrix: Matrix) -> Cell:
    """The call with names that say who and where, where the matrix has no such caller or way."""
    cell, at = witness.cell, ""
    if witness.call.now:
        at = f", at {witness.call.now:%Y-%m-%dT%H:%M:%SZ}"
    caller, entrance = cell.caller, cell.entrance
    known = [one.principal for one in matrix.callers]
    if not _is_powerful(caller) and caller.principal not in known:
        caller = replace(caller, name=f"{caller.name} ({caller.says}{at})")
    if entrance not in matrix.entrances:
        entrance = replace(entrance, name=f"{entrance.name} ({entrance.says})")
    return replace(cell, caller=caller, entrance=entrance)
