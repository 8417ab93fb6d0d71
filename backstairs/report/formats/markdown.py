"""The matrix, a comparison and a check as Markdown, for a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backstairs.access import Verdict
from backstairs.report.curl import curl
from backstairs.report.formats import words
from backstairs.report.formats.check_text import MAY
from backstairs.report.formats.diff_text import NOTHING, besides, sentences, shown
from backstairs.report.formats.sentences import sentence
from backstairs.report.groups import blocks, groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from backstairs.report.check import Broken
    from backstairs.report.diff import Changed, Diff
    from backstairs.report.groups import Block
    from backstairs.report.matrix import Matrix


def render(matrix: Matrix) -> str:
    """A table an API: who may call, from where, and why."""
    application = matrix.application
    lines = [f"### Who may call what: {_code(application.file)}", "", words.summary(matrix)]
    shown_api = None
    for block in blocks(matrix.cells):
        if block.api is not shown_api:
            lines += ["", f"#### {words.api_line(block.api)}", ""]
            lines += ["| request | may be called by | from | because |", "|---|---|---|---|"]
            shown_api = block.api
        lines += _rows(block)
    for title, items in words.besides(matrix):
        lines += _besides(title, map(_escaped, items))
    return "\n".join(lines) + "\n"


def _rows(block: Block) -> Iterator[str]:
    labels = (_code(question.label) for question in block.questions)
    what = "<br>".join(labels).replace("|", "\\|")
    open_to = [one for one in block.clusters if one.verdict is not Verdict.REFUSED]
    for cluster in open_to:
        doubt = "unknown: " if cluster.verdict is Verdict.UNKNOWN else ""
        who = doubt + words.people(cluster.callers, block.callers, None)
        where = words.places(cluster.entrances, block.entrances)
        yield f"| {what} | {_cell(who)} | {_cell(where)} | {_cell(words.why(cluster))} |"
    if not open_to:
        yield f"| {what} | nobody | | |"


def render_diff(diff: Diff) -> str:
    """What a reviewer must see: gains first, each with the lines that made it so."""
    lines: list[str] = []
    for title, part in (("Who gains access", diff.gains), ("Who loses access", diff.losses)):
        if part:
            lines += [f"### {title}", ""]
            for changed in part:
                lines += [*_changed(changed, diff), ""]
    for title, items in besides(diff):
        lines += _besides(title, map(_escaped, items))
    lines = lines or [NOTHING]
    lines += _besides("Not asked", map(_escaped, diff.left_out))
    return "\n".join(lines) + "\n"


def _changed(changed: Changed, diff: Diff) -> Iterator[str]:
    for text, reasons in sentences(changed, diff):
        yield f"- {_escaped(text)}"
        yield from (f"  - {_escaped(reason)}" for reason in reasons)
    lines = []
    for hunk in changed.lines:
        place, *texts = (line.strip() for line in shown(hunk))
        lines += [f"@@ {place} @@", *(text[0] + text[2:] for text in texts)]
    if lines:
        yield from ("", *_fenced("diff", lines))


def render_check(broken: Sequence[Broken], matrix: Matrix, contract: str) -> str:
    """Each breach with its reason and a call that shows it."""
    if not broken:
        return f"{_code(matrix.application.file)} keeps to {_code(contract)}.\n"
    lines = [f"### {_code(matrix.application.file)} breaks {_code(contract)}"]
    for one in broken:
        lines += ["", f"**{one.breach.value.capitalize()}**", ""]
        for group in groups(one.cells):
            lines += [f"- {_escaped(sentence(group, matrix, MAY[one.breach]))}"]
            lines += [f"  - {_escaped(words.reason(words.deciding(group.cell.decision)))}"]
            lines += [f"  {line}" for line in _fenced("sh", [words.plain(curl(group.cell))])]
        if one.text:
            lines.append(f"- {_escaped(one.text)}" + (f" ({one.source})" if one.source else ""))
    return "\n".join(lines) + "\n"


def _besides(title: str, items: Iterable[str]) -> list[str]:
    found = [f"- {item}" for item in items]
    return ["", f"**{title}**", "", *found] if found else []


def _fenced(kind: str, lines: Sequence[str]) -> Iterator[str]:
    """Lines as they are; the fence is longer than any that stands in them."""
    runs = re.findall("`+", "\n".join(lines))
    fence = "`" * max([3, *(len(run) + 1 for run in runs)])
    yield from (fence + kind, *lines, fence)


def _code(text: str) -> str:
    return _escaped(text) if "`" in text else f"`{' '.join(words.plain(text).split())}`"


def _escaped(text: str) -> str:
    """As it is, not as Markdown or HTML."""
    return re.sub(r"[\\`*_<>]", _escape, " ".join(words.plain(text).split()))


def _escape(found: re.Match[str]) -> str:
    return {"<": "&lt;", ">": "&gt;"}.get(found[0], f"\\{found[0]}")


def _cell(text: str) -> str:
    return _escaped(text).replace("|", "\\|")
