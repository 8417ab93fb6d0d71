"""Two matrices compared: who gains, who loses what, and by which changed lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstairs.access import Verdict
from backstairs.report.callers import OTHER_ACCOUNT, THIS_ACCOUNT, WITH_KEY
from backstairs.report.entrances import OTHER_ENDPOINT_ID
from backstairs.report.lines import hunks, within
from backstairs.report.matrix import matrix_of
from backstairs.report.named import named_by
from backstairs.report.not_compared import may_gain
from backstairs.report.undeclared import Undeclared

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from backstairs.access import Principal, Source
    from backstairs.access.policy import Statement
    from backstairs.report.facts import Facts
    from backstairs.report.lines import Files, Hunk
    from backstairs.report.matrix import Cell, Matrix
    from backstairs.template.model import Application, NotRead, OtherWay

_RANK = {Verdict.REFUSED: 0, Verdict.UNKNOWN: 1, Verdict.ALLOWED: 2}
"""A call that cannot be decided any more is a gain: it may be admitted."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what it declares, and the text of its files by the names in its sources."""

    application: Application
    files: Files
    more: Mapping[str, Principal]


@dataclass(frozen=True, slots=True)
class Change:
    """One call that is decided otherwise; None on a side where it could not be made at all.

    `cell` is the call as it is now, or as it was.
    """

    cell: Cell
    before: Cell | None
    after: Cell | None

    @property
    def gains(self) -> bool:
        """Whether more is let in than was, or another authorizer decides that nobody here knows."""
        return _rank(self.after) > _rank(self.before) or self.asks_another

    @property
    def asks_another(self) -> bool:
        """Whether it is unknown on both sides, of other kinds of authorization."""
        cells = [one for one in (self.before, self.after) if _rank(one) == _RANK[Verdict.UNKNOWN]]
        return len({one.question.route.authorization for one in cells if one}) > 1


@dataclass(frozen=True, slots=True)
class Changed:
    """Changes that come of the same lines; no lines: of a parameter, a fact, or unread files."""

    lines: tuple[Hunk, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """What of two matrices is not the same.

    `unread`: what only the later one cannot read; `left_out`: who could not be asked about;
    `not_compared`: statements that may let in more and that no cell tells apart,
    with what they belong to.
    """

    before: Matrix
    after: Matrix
    gains: tuple[Changed, ...]
    losses: tuple[Changed, ...]
    new_ways: tuple[OtherWay, ...]
    closed_ways: tuple[OtherWay, ...]
    unread: tuple[NotRead, ...]
    left_out: tuple[str, ...] = ()
    not_compared: tuple[tuple[str, Statement], ...] = ()

    @property
    def opens(self) -> bool:
        """Whether somebody gains, or may: nobody knows what an unread part admits."""
        return bool(self.gains or self.new_ways or self.unread or self.not_compared)

    def matrix_of(self, change: Change) -> Matrix:
        """The matrix that a change's cell is of."""
        return self.after if change.after else self.before


def diff(base: Side, head: Side, facts: Facts | None = None) -> Diff:
    """Compare two versions of an application, each asked also what only the other one names."""
    named = [named_by(side.application, side.more.values()) for side in (base, head)]
    both = named[0] | named[1]
    others = Undeclared((base.application, head.application))
    before = matrix_of(base.application, facts, {**others.principals, **base.more}, both)
    after = matrix_of(head.application, facts, {**others.principals, **head.more}, both)
    changes = list(_news(_changes(before, after), others))
    touched = _Touched(base, head)
    ways = [{_way(one): one for one in side.application.other_ways} for side in (base, head)]
    not_read = {(one.name, one.why) for one in base.application.not_read}
    return Diff(
        before,
        after,
        gains=_by_lines((one for one in changes if one.gains), touched),
        losses=_by_lines((one for one in changes if not one.gains), touched),
        new_ways=tuple(one for way, one in ways[1].items() if way not in ways[0]),
        closed_ways=tuple(one for way, one in ways[0].items() if way not in ways[1]),
        unread=tuple(
            one for one in head.application.not_read if (one.name, one.why) not in not_read
        ),
        left_out=tuple(others.left_out),
        not_compared=may_gain(base.application, head.application),
    )


def _way(way: OtherWay) -> tuple[str, str, str | None, str]:
    return (way.name, way.kind, way.function, way.says)


def _changes(before: Matrix, after: Matrix) -> Iterable[Change]:
    several = {
        declared.name
        for matrix in (before, after)
        for declared in matrix.application.apis
        if sum(one.name == declared.name for one in matrix.application.apis) > 1
    }
    old, new = ({_key(cell, several): cell for cell in matrix.cells} for matrix in (before, after))
    for key in dict.fromkeys((*new, *old)):
        cell = new[key] if key in new else old[key]
        change = Change(cell, _of(key, old, new), _of(key, new, old))
        if _rank(change.before) != _rank(change.after) or change.asks_another:
            yield change


def _news(changes: Iterable[Change], others: Undeclared) -> Iterable[Change]:
    """Of those whom nobody declares one of each account, and none where anybody has the change."""
    said: set[tuple[object, ...]] = set()
    later = []
    for change in changes:
        if change.cell.caller.name in others:
            later.append(change)
            continue
        if _bare(change.cell) in (THIS_ACCOUNT, OTHER_ACCOUNT):
            said.add(_told(change))
        yield change
    order = list(others.principals)
    for change in sorted(later, key=lambda one: order.index(_bare(one.cell))):
        if _told(change) not in said:
            said.add(_told(change))
            yield change


def _bare(cell: Cell) -> str:
    return cell.caller.name.removesuffix(WITH_KEY)


def _told(change: Change) -> tuple[object, ...]:
    caller = change.cell.caller
    return (change.gains, caller.foreign, caller.with_key, *_key(change.cell, ())[::2])


_Key = tuple[tuple[str, str, str], str, str]


def _of(key: _Key, cells: Mapping[_Key, Cell], others: Mapping[_Key, Cell]) -> Cell | None:
    """A call on one side. Whoever is not declared there is anybody, and an endpoint another VPC's.

    So a new role gains what is granted to it, and not what anybody could do before.
    """
    if key in cells:
        return cells[key]
    other = others[key]
    question, caller, entrance = key
    principal = other.caller.principal
    if principal is not None and principal.account == other.question.api.api.account:
        anybody = THIS_ACCOUNT + WITH_KEY if other.caller.with_key else THIS_ACCOUNT
    else:
        anybody = caller
    origin = other.entrance.origin
    elsewhere = OTHER_ENDPOINT_ID + (origin.source_ip or "") if origin.endpoint else entrance
    likenesses = ((question, anybody, entrance), (question, caller, elsewhere))
    found = (cells.get(one) for one in (*likenesses, (question, anybody, elsewhere)))
    return next((cell for cell in found if cell), None)


def _key(cell: Cell, several: Collection[str]) -> _Key:
    """What a call is called on both sides; a stage's name counts where an API has several."""
    endpoint = cell.entrance.origin.endpoint
    declared = cell.question.api
    stage = declared.api.stage if declared.name in several else ""
    # An endpoint that one side declares, the other may only name.
    entrance = endpoint.endpoint_id if endpoint else cell.entrance.name
    entrance += cell.entrance.peered
    question = (declared.name, stage, cell.question.label)
    return (question, cell.caller.name, entrance + (cell.entrance.origin.source_ip or ""))


def _rank(cell: Cell | None) -> int:
    return _RANK[cell.verdict] if cell else 0


class _Touched:
    """Which changed lines a change comes of."""

    def __init__(self, base: Side, head: Side) -> None:
        self._all = tuple(hunks(base.files, head.files))
        self._old, self._new = base.files, head.files
        self._at: dict[tuple[Source, bool], frozenset[Hunk]] = {}

    def lines(self, change: Change) -> tuple[Hunk, ...]:
        """Those nearest to what decided; all of them where none is near."""
        for old, new in zip(_places(change.before), _places(change.after), strict=True):
            near = {hunk for place in old for hunk in self._near(place, new=False)}
            near |= {hunk for place in new for hunk in self._near(place, new=True)}
            if near:
                return tuple(hunk for hunk in self._all if hunk in near)
        return self._all

    def _near(self, place: Source, *, new: bool) -> frozenset[Hunk]:
        if (place, new) not in self._at:
            files = self._new if new else self._old
            self._at[place, new] = frozenset(
                hunk for hunk in self._all if within(hunk, place, files, new=new)
            )
        return self._at[place, new]


def _by_lines(changes: Iterable[Change], touched: _Touched) -> tuple[Changed, ...]:
    found: dict[tuple[Hunk, ...], list[Change]] = {}
    for change in changes:
        found.setdefault(touched.lines(change), []).append(change)
    return tuple(Changed(lines, tuple(alike)) for lines, alike in found.items())


def _places(cell: Cell | None) -> list[list[Source]]:
    """Where what decided is written, the nearest first."""
    if cell is None:
        return [[]] * 4
    api = cell.question.api
    route = api.route_sources.get(cell.question.route)
    statements = [reason.source for reason in cell.decision.reasons if reason.source]
    ends = [place for place in (cell.caller.source, cell.entrance.source) if place]
    return [statements, [route] if route else [], [api.source], ends]
