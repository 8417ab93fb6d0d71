"""The patterns of policies as rows of units: what `access.patterns` and `conditions` compare."""

from __future__ import annotations

from functools import lru_cache

from backstairs.access.patterns import literal, parts_of
from backstairs.report.requests.automata import ANY, ONE, Automaton, Row, Unit, but, text

_ARN_FIELDS = 6


def like(pattern: str, *, segments: bool = False) -> Row:
    """`StringLike` and `Resource`; with `segments`, wildcards stay between two colons."""
    row: list[Unit] = []
    for part in parts_of(pattern, segments=segments):
        if part.wildcard:
            many = part.wildcard == "*"
            anything = ANY if many else ONE
            row.append(but(":", many=many) if part.within else anything)
        else:
            row += text(part.text)
    return tuple(row)


def arn_like(pattern: str) -> Row | None:
    """`ArnLike`: each of the six fields by itself; None for what is no ARN."""
    fields = pattern.split(":", _ARN_FIELDS - 1)
    if len(fields) != _ARN_FIELDS:
        return None
    row: list[Unit] = []
    for field in fields[:-1]:
        for unit in like(field):
            anything = unit.others and not unit.chars
            row.append(but(":", many=unit.many) if anything else unit)
        row += text(":")
    return (*row, *like(fields[-1]))


def exactly(pattern: str) -> Row:
    """`StringEquals`."""
    return text(literal(pattern))


def in_any_case(pattern: str) -> Row:
    """`StringEqualsIgnoreCase`."""
    return tuple(
        Unit(frozenset(case for case in (char, char.lower(), char.upper()) if len(case) == 1))
        for char in literal(pattern)
    )


@lru_cache(maxsize=4096)
def resource(pattern: str, *, segments: bool) -> Automaton:
    """A pattern of `Resource`, in one of its two readings."""
    return Automaton([like(pattern, segments=segments)])


def readings(pattern: str) -> tuple[bool, ...]:
    """The readings of a pattern of `Resource` that may differ: plain, and within segments."""
    within = any(part.within for part in parts_of(pattern, segments=True))
    return (False, True) if within else (False,)
