"""A comparison as lines: who gains, who loses, and the lines that made it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Verdict
from backstairs.report.formats import words
from backstairs.report.formats.sentences import sentence
from backstairs.report.formats.text import fold
from backstairs.report.groups import because, groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backstairs.access.policy import Statement
    from backstairs.report.diff import Change, Changed, Diff
    from backstairs.report.lines import Hunk
    from backstairs.report.matrix import Cell

_SHOWN = 12
NOTHING = "Nobody gains and nobody loses access."
UNREAD = "Not understood any more, so that somebody may gain"
NOT_COMPARED = "Depends on what no call above says, so that somebody may gain"


def render(diff: Diff) -> str:
    """Gains first: they are what a review is about."""
    lines: list[str] = []
    for title, part in (("Gains:", diff.gains), ("Losses:", diff.losses)):
        if part:
            lines += [title]
            for changed in part:
                lines += _changed(changed, diff)
    for title, items in besides(diff):
        if items:
            lines += [f"{title}:"]
        for item in items:
            lines += fold(item, 2, 2)
    lines = lines or [NOTHING]
    for who in diff.left_out:
        lines += fold(f"Not asked: {who}", 0, 2)
    return "\n".join(lines) + "\n"


def besides(diff: Diff) -> Iterator[tuple[str, list[str]]]:
    """What else differs than calls, by title."""
    for title, ways in (
        ("New ways to a function", diff.new_ways),
        ("Ways to a function that are gone", diff.closed_ways),
    ):
        yield title, [f"{way.name}: {way.kind}: {way.says} ({way.source})" for way in ways]
    yield UNREAD, [f"{part.name}: {part.why} ({part.source})" for part in diff.unread]
    yield NOT_COMPARED, [_statement(*one) for one in diff.not_compared]


def _statement(owner: str, one: Statement) -> str:
    is_new = "an Allow that is new or other" if one.effect == "Allow" else "a Deny that is gone"
    asks = [*map(str, one.conditions), *([one.problem] if one.problem else ())]
    says = " and ".join(asks) or "what it names is not known"
    where = f" ({one.source})" if one.source else ""
    return f"{one.name} of {owner}: {is_new}: {says}{where}"


def _changed(changed: Changed, diff: Diff) -> Iterator[str]:
    for text, reasons in sentences(changed, diff):
        yield from fold(text, 2, 4)
        for reason in reasons:
            yield from fold(reason, 6, 2)
    for hunk in changed.lines[:_SHOWN]:
        yield from shown(hunk)
    if len(changed.lines) > _SHOWN:
        yield f"    and {len(changed.lines) - _SHOWN} more changed places"
    if not changed.lines:
        yield "    by no line of the templates: parameters or facts differ"
    yield ""


def sentences(changed: Changed, diff: Diff) -> Iterator[tuple[str, list[str]]]:
    """Who may now do what, with the reasons of now and before."""
    by_cell = {id(change.cell): change for change in changed.changes}
    for group in groups(change.cell for change in changed.changes):
        example = by_cell[id(group.cell)]
        within = {
            (id(caller), id(question)) for caller in group.callers for question in group.questions
        }
        alike = [
            change
            for change in changed.changes
            if (id(change.cell.caller), id(change.cell.question)) in within
        ]
        reasons = _reasons("now", (change.after for change in alike))
        reasons += _reasons("before", (change.before for change in alike))
        yield sentence(group, diff.matrix_of(example), said(example)), reasons


def _reasons(when: str, cells: Iterable[Cell | None]) -> list[str]:
    """One reason of each kind."""
    kinds = {because(cell): cell for cell in cells if cell is not None}
    reasons = (words.deciding(cell.decision) for cell in kinds.values())
    return [f"{when}: {words.reason(reason)}" for reason in reasons]


def said(change: Change) -> str:
    """What a caller may now, or may no longer."""
    if change.after is None or change.after.verdict is Verdict.REFUSED:
        return "may no longer"
    return "may" if change.after.verdict is Verdict.ALLOWED else "may now or may not"


def shown(hunk: Hunk) -> Iterator[str]:
    """A change as `diff` shows it, the first lines of it."""
    yield f"    {hunk}"
    for sign, lines in (("-", hunk.old), ("+", hunk.new)):
        for line in lines[:_SHOWN]:
            yield f"      {sign} {words.plain(line)}"
        if len(lines) > _SHOWN:
            yield f"      {sign} ... {len(lines) - _SHOWN} more lines"
