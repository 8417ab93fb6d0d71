"""The matrix as lines of at most 80 columns: what is alike together, what is not decided last."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from backstairs.access import Verdict
from backstairs.report.formats import words
from backstairs.report.groups import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.groups import Block, Cluster
    from backstairs.report.matrix import Matrix

WIDTH = 80


def render(matrix: Matrix, *, why: bool = False) -> str:
    """All of it; with `why` every reason of each group and how its rule is known."""
    application = matrix.application
    lines = fold(f"{application.file}, region {application.region}, account {application.account}")
    lines += fold(words.summary(matrix))
    shown = None
    for block in blocks(matrix.cells):
        if block.api is not shown:
            lines += ["", *fold(f"{words.api_line(block.api)} ({block.api.source})")]
            shown = block.api
        lines += ["", *_block(matrix, block, why=why)]
    if not application.apis:
        lines += ["", "It declares no API."]
    return "\n".join([*lines, *_besides(matrix)]) + "\n"


def fold(text: str, indent: int = 0, hanging: int = 0) -> list[str]:
    """Lines of at most 80 columns; a word that is longer has a line of its own."""
    first, others = " " * indent, " " * (indent + hanging)
    return textwrap.wrap(
        words.plain(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _block(matrix: Matrix, block: Block, *, why: bool) -> Iterator[str]:
    for question in block.questions:
        yield from fold(question.label, 2, 4)
    yield from fold(f"asks for {words.asked(block)}", 4, 2)
    shown = [one for one in block.clusters if why or one.verdict is not Verdict.REFUSED]
    for cluster in shown:
        yield from _cluster(matrix, cluster, block, why=why)
    if len(shown) < len(block.clusters):
        yield from fold(f"may not   everybody {'else' if shown else 'and from everywhere'}", 4, 10)


def _cluster(matrix: Matrix, cluster: Cluster, block: Block, *, why: bool) -> Iterator[str]:
    who = words.people(cluster.callers, block.callers, None if why else 6)
    where = words.places(cluster.entrances, block.entrances)
    yield from fold(f"{words.SAYS[cluster.verdict]:<9} {who}; from {where}", 4, 10)
    yield from fold(words.conditions(matrix, block.questions[0], cluster), 14)
    if not why:
        yield from fold(words.why(cluster), 14)
        return
    for reason in cluster.decision.reasons:
        yield from fold(
            f"{words.reason(reason)} [{reason.rule.name}, {reason.rule.known.value}]", 14, 2
        )


def _besides(matrix: Matrix) -> Iterator[str]:
    """What the matrix does not say."""
    for title, items in words.besides(matrix):
        yield from ("", f"{title}:")
        for item in items:
            yield from fold(f"- {item}", 2, 2)
