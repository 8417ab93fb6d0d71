"""A comparison as lines: who gains, who loses, and the lines that made it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Verdict
from backstairs.report.formats import words
from backstairs.report.formats.sentences import sentence
from backstairs.report.formats.text import fold
from backstairs.report.groups import groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.diff import Change, Changed, Diff
    from backstairs.report.lines import Hunk
    from backstairs.report.matrix import Cell

_SHOWN = 6
NOTHING = "Nobody gains and nobody loses access."


def render(diff: Diff) -> str:
    """Gains first: they are what a review is about."""
    lines: list[str] = []
    for title, part in (("Gains:", diff.gains), ("Losses:", diff.losses)):
        if part:
            lines += [title]
            for changed in part:
                lines += _changed(changed, diff)
    for title, ways in (
        ("New ways to a function:", diff.new_ways),
        ("Ways to a function that are gone:", diff.closed_ways),
    ):
        if ways:
            lines += [title]
        for way in ways:
            lines += fold(f"{way.name}: {way.kind}: {way.says} ({way.source})", 2, 2)
    return "\n".join(lines or [NOTHING]) + "\n"


def _changed(changed: Changed, diff: Diff) -> Iterator[str]:
    by_cell = {id(change.cell): change for change in changed.changes}
    for group in groups(change.cell for change in changed.changes):
        change = by_cell[id(group.cell)]
        yield from fold(sentence(group, diff.matrix_of(change), said(change)), 2, 4)
        if change.after is not None:
            yield from fold(f"now: {_why(change.after)}", 6, 2)
        if change.before is not None:
            yield from fold(f"before: {_why(change.before)}", 6, 2)
    for hunk in changed.lines[:_SHOWN]:
        yield from shown(hunk)
    if len(changed.lines) > _SHOWN:
        yield f"    and {len(changed.lines) - _SHOWN} more changed places"
    if not changed.lines:
        yield "    by no line: parameters or facts differ"
    yield ""


def said(change: Change) -> str:
    """What a caller may now, or may no longer."""
    if change.after is None or change.after.verdict is Verdict.REFUSED:
        return "may no longer"
    return "may" if change.after.verdict is Verdict.ALLOWED else "may now or may not"


def _why(cell: Cell) -> str:
    return words.reason(words.deciding(cell.decision))


def shown(hunk: Hunk) -> Iterator[str]:
    """A change as `diff` shows it, the first lines of it."""
    yield f"    {hunk}"
    for sign, lines in (("-", hunk.old), ("+", hunk.new)):
        for line in lines[:_SHOWN]:
            yield f"      {sign} {line}"
        if len(lines) > _SHOWN:
            yield f"      {sign} ... {len(lines) - _SHOWN} more lines"
