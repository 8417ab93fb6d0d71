"""A check as lines: each breach with its reason and a call that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.report.check import Breach
from backstairs.report.curl import curl
from backstairs.report.formats import words
from backstairs.report.formats.sentences import sentence
from backstairs.report.formats.text import fold
from backstairs.report.groups import groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backstairs.report.beyond import Beyond
    from backstairs.report.check import Broken
    from backstairs.report.groups import Group
    from backstairs.report.matrix import Matrix

MAY = {Breach.OPENED: "may", Breach.CLOSED: "may not", Breach.UNKNOWN: "may or may not"}


def render(
    broken: Sequence[Broken], matrix: Matrix, contract: str, more: Beyond | None = None
) -> str:
    """What is broken, what lets in first; or that nothing is. `more`: of all other requests."""
    if not broken:
        kept = f"{matrix.application.file} keeps to {contract}: {len(matrix.cells)} calls decided"
        kept += f", and {more.decided} that stand for all others" if more else ""
        return "\n".join(fold(f"{kept}.")) + "\n"
    lines = fold(f"{matrix.application.file} breaks {contract}.")
    for one in broken:
        lines += [
            "",
            f"What {one.breach.value}:" if one.cells else f"{one.breach.value.capitalize()}:",
        ]
        for group in groups(one.cells):
            lines += _group(one.breach, group, matrix)
        if one.text:
            lines += fold(one.text + (f" ({one.source})" if one.source else ""), 2, 2)
    return "\n".join(lines) + "\n"


def _group(breach: Breach, group: Group, matrix: Matrix) -> Iterator[str]:
    yield from fold(sentence(group, matrix, MAY[breach]), 2, 4)
    yield from fold(words.reason(words.deciding(group.cell.decision)), 6, 2)
    # Not folded, so that it can be copied.
    yield f"      {words.plain(curl(group.cell))}"
