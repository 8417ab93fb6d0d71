"""Cells that are alike, together: what a reader sees in place of thousands of lines."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from backstairs.access import Verdict, rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backstairs.access import Decision
    from backstairs.report.callers import Caller
    from backstairs.report.entrances import Entrance
    from backstairs.report.matrix import Cell
    from backstairs.report.questions import Question
    from backstairs.template.model import DeclaredApi

_ORDER = (Verdict.ALLOWED, Verdict.UNKNOWN, Verdict.REFUSED)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Callers who come by entrances to one verdict for the same reasons: each by each.

    `decision` is that of one of them; `alike`: its words hold for all.
    """

    verdict: Verdict
    callers: tuple[Caller, ...]
    entrances: tuple[Entrance, ...]
    decision: Decision
    alike: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Questions of one API that are answered alike, whoever asks."""

    api: DeclaredApi
    questions: tuple[Question, ...]
    callers: tuple[Caller, ...]
    entrances: tuple[Entrance, ...]
    clusters: tuple[Cluster, ...]


def blocks(cells: Iterable[Cell]) -> Iterator[Block]:
    """The cells by API, questions that are answered alike together, in the order of the routes."""
    tables = [
        (question, list(of_question))
        for question, of_question in groupby(cells, key=lambda cell: cell.question)
    ]
    alike: dict[object, list[tuple[Question, list[Cell]]]] = {}
    for question, table in tables:
        answers = tuple((cell.caller.name, cell.entrance.name, because(cell)) for cell in table)
        alike.setdefault((id(question.api), answers), []).append((question, table))
    for group in alike.values():
        questions, table = tuple(question for question, _ in group), group[0][1]
        yield Block(
            questions[0].api,
            questions,
            tuple(dict.fromkeys(cell.caller for cell in table)),
            tuple(dict.fromkeys(cell.entrance for cell in table)),
            tuple(clusters(table)),
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Calls of one API: each of the callers, requests and entrances with each, for alike reasons.

    `cell` is one of them.
    """

    callers: tuple[Caller, ...]
    questions: tuple[Question, ...]
    entrances: tuple[Entrance, ...]
    cell: Cell


def groups(cells: Iterable[Cell]) -> list[Group]:
    """Cells in as few groups as is easily done."""
    ways: dict[tuple[Caller, object], dict[Question, list[Cell]]] = {}
    for cell in cells:
        reasons = (id(cell.question.api), because(cell))
        ways.setdefault((cell.caller, reasons), {}).setdefault(cell.question, []).append(cell)
    found: dict[object, tuple[list[Caller], list[Cell], tuple[Entrance, ...]]] = {}
    for (caller, why), by_question in ways.items():
        by_entrances: dict[tuple[Entrance, ...], list[Cell]] = {}
        for own in by_question.values():
            by_entrances.setdefault(tuple(cell.entrance for cell in own), []).append(own[0])
        for entrances, first in by_entrances.items():
            key = (why, entrances, tuple(cell.question for cell in first))
            found.setdefault(key, ([], first, entrances))[0].append(caller)
    return [
        Group(tuple(who), tuple(cell.question for cell in first), entrances, first[0])
        for who, first, entrances in found.values()
    ]


def because(cell: Cell) -> tuple[object, ...]:
    """Verdict, rule and place of what decided, without the words that are one caller's."""
    reason = cell.decided.reasons[-1]
    if reason.source is not None:
        return (cell.verdict, reason.rule.name, reason.source)
    refused = cell.verdict is Verdict.REFUSED and reason.rule is not rules.EXPLICIT_DENY
    return (cell.verdict, reason.rule.name, None if refused else reason.text)


def clusters(cells: Iterable[Cell]) -> Iterator[Cluster]:
    """Cells of one question by verdict and reasons, those that let in first."""
    by_reasons: dict[object, list[Cell]] = {}
    for cell in cells:
        by_reasons.setdefault(because(cell), []).append(cell)
    for group in sorted(by_reasons.values(), key=lambda group: _ORDER.index(group[0].verdict)):
        by_caller: dict[Caller, list[Cell]] = {}
        for cell in group:
            by_caller.setdefault(cell.caller, []).append(cell)
        rectangles: dict[tuple[Entrance, ...], list[Caller]] = {}
        for caller, own in by_caller.items():
            rectangles.setdefault(tuple(cell.entrance for cell in own), []).append(caller)
        alike = len({cell.decision.reasons for cell in group}) == 1
        for entrances, who in rectangles.items():
            decision = by_caller[who[0]][0].decision
            yield Cluster(group[0].verdict, tuple(who), entrances, decision, alike)
