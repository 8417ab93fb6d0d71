"""Whether a matrix keeps to its contract."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from backstairs.access import Source, Verdict
from backstairs.report.beyond import READINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from backstairs.report.beyond import Beyond
    from backstairs.report.callers import Caller
    from backstairs.report.contract import Contract, Rule
    from backstairs.report.matrix import Cell, Matrix
    from backstairs.report.questions import Question


_NOT_READ = "not understood"


class Breach(Enum):
    """How a contract is broken, in words."""

    OPENED = "may be made, and no rule says so"
    CLOSED = "may not be made, and a rule says that it may"
    UNKNOWN = "cannot be decided, and is not accepted"
    OTHER_WAY = "another way in, not accepted"
    NOT_READ = "not understood, and not accepted"
    LEFT_OUT = "not every request could be asked, and that is not accepted"
    NOTHING = "speaks of nothing that there is"


@dataclass(frozen=True, slots=True)
class Broken:
    """One way in which a contract is broken.

    `cells` are the calls, where it is about calls; `text` says what else, `source` where.
    """

    breach: Breach
    cells: tuple[Cell, ...] = ()
    text: str = ""
    source: Source | None = None


def check(matrix: Matrix, contract: Contract, more: Beyond | None = None) -> list[Broken]:
    """How the matrix breaks the contract; empty if it keeps to it. `more`: and other requests."""
    found = [*_idle(matrix, contract, more), *_besides(matrix, contract)]
    broken: dict[Breach, list[Cell]] = {}
    for cell, expected, accepted in _expected(matrix, contract):
        if cell.verdict is Verdict.UNKNOWN and not accepted:
            broken.setdefault(Breach.UNKNOWN, []).append(cell)
        elif cell.verdict is Verdict.ALLOWED and not expected:
            broken.setdefault(Breach.OPENED, []).append(cell)
        elif cell.verdict is Verdict.REFUSED and expected:
            broken.setdefault(Breach.CLOSED, []).append(cell)
    if more is not None:
        found += [Broken(Breach.LEFT_OUT, text=text) for text in more.left_out]
        for breach, cells in ((Breach.OPENED, more.opened), (Breach.UNKNOWN, more.unknown)):
            broken.setdefault(breach, []).extend(cells)
    found += [Broken(breach, tuple(broken[breach])) for breach in Breach if broken.get(breach)]
    return found


def _expected(matrix: Matrix, contract: Contract) -> Iterator[tuple[Cell, bool, bool]]:
    """Each cell, whether a rule says that it may be made, and whether it may stay unknown."""
    acceptances = [one.rule for one in contract.accepted if one.rule]
    of_question: Question | None = None
    rules: list[Rule] = []
    unknowns: list[Rule] = []
    for cell in matrix.cells:
        if cell.question is not of_question:
            of_question = cell.question
            rules = [rule for rule in contract.rules if rule.asks(of_question)]
            unknowns = [rule for rule in acceptances if rule.asks(of_question)]
        yield cell, _some(rules, cell), _some(unknowns, cell)


def _some(rules: list[Rule], cell: Cell) -> bool:
    return any(rule.covers(cell) for rule in rules)


def _idle(matrix: Matrix, contract: Contract, more: Beyond | None) -> Iterator[Broken]:
    """Rules and acceptances whose names are nobody's."""
    sentences = (*contract.rules, *(one.rule for one in contract.accepted if one.rule))
    for rule in sentences:
        for missing in _missing(matrix, rule):
            text = f"{rule.text}: {missing}"
            yield Broken(Breach.NOTHING, text=text, source=rule.source)
    kinds = _kinds(matrix)
    names = {*kinds, *(f"{name}: {kind}" for name, of in kinds.items() for kind in of)}
    names |= {*READINGS, *(more.accepted if more else ())}
    for one in contract.accepted:
        if one.rule is None and one.name not in names:
            text = f"{one.name}: there is no such way and no such part"
            yield Broken(Breach.NOTHING, text=text, source=one.source)


def _missing(matrix: Matrix, rule: Rule) -> Iterator[str]:
    asked = [question for question in matrix.questions if rule.asks(question)]
    if not any(question.api.name == rule.api for question in matrix.questions):
        yield f"there is no API {rule.api}"
    elif not asked:
        yield f"{rule.api} has no such route"
    people = {name for one in _asking(matrix) for name in (one.name, one.role, *one.functions)}
    for name in sorted(rule.who.names - people):
        yield f"there is no caller {name}"
    for name in sorted(rule.where.names - {one.name for one in matrix.entrances}):
        yield f"there is no way in called {name}"


def _asking(matrix: Matrix) -> Iterator[Caller]:
    for one in matrix.callers:
        yield one
        yield one.keyed


def _kinds(matrix: Matrix) -> dict[str, set[str]]:
    """What kinds of other ways and of parts that are not understood have a name."""
    found: dict[str, set[str]] = {}
    for way in matrix.application.other_ways:
        found.setdefault(way.name, set()).add(way.kind)
    for part in matrix.application.not_read:
        found.setdefault(part.name, set()).add(_NOT_READ)
    return found


def _kinds_accepted(
    name: str, kind: str, kinds: Mapping[str, set[str]], accepted: Collection[str]
) -> bool:
    """Whether it is accepted: by its name, where that means one kind, or as `NAME: KIND`."""
    return f"{name}: {kind}" in accepted or (name in accepted and len(kinds[name]) == 1)


def _besides(matrix: Matrix, contract: Contract) -> Iterator[Broken]:
    accepted = {one.name for one in contract.accepted}
    kinds = _kinds(matrix)
    for way in matrix.application.other_ways:
        if not _kinds_accepted(way.name, way.kind, kinds, accepted):
            text = f"{way.name}: {way.kind}: {way.says}"
            yield Broken(Breach.OTHER_WAY, text=text, source=way.source)
    for part in matrix.application.not_read:
        if not _kinds_accepted(part.name, _NOT_READ, kinds, accepted):
            yield Broken(Breach.NOT_READ, text=f"{part.name}: {part.why}", source=part.source)
