"""The patterns of policies as rows of units: what `access.patterns` and `conditions` compare."""

from __future__ import annotations

import re
from dataclasses import dataclass
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


def readings(pattern: str) -> tuple[bool, ...]:
    """The readings of a pattern of `Resource` that may differ: plain, and within segments."""
    within = any(part.within for part in parts_of(pattern, segments=True))
    return (False, True) if within else (False,)


# What a path without empty and dot segments is none of, and what a plain one is none of.
NOT_NORMAL = tuple(map(like, ("*//*", "*/./*", "*/../*", "*/.", "*/..", "?*/")))
ODD = Automaton([*NOT_NORMAL, like("*%*")])
_HALF = re.compile(r"%(?![0-9A-Fa-f]{2})")


@lru_cache(maxsize=4096)
def _resource(pattern: str, *, segments: bool) -> Automaton:
    """A pattern of `Resource`, in one of its two readings."""
    return Automaton([like(pattern, segments=segments)])


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of `Resource` in one reading, and what stands before a path it is compared with."""

    text: str
    segments: bool
    before: str

    @property
    def automaton(self) -> Automaton:
        """What covers the whole."""
        return _resource(self.text, segments=self.segments)

    @property
    def start(self) -> int:
        """The state in which a path begins."""
        return self.automaton.walk(self.automaton.start, self.before)

    @property
    def is_odd(self) -> bool:
        """Whether it names what is in no plain path."""
        return ODD.accepts(ODD.walk(ODD.start, self.text))

    @property
    def splits_escapes(self) -> bool:
        """Whether it has a percent sign that begins no escape."""
        return _HALF.search(self.text) is not None

    def tells(self, head: str = "/") -> bool:
        """Whether paths that begin so differ for it."""
        return not self.automaton.settled(self.automaton.walk(self.start, head))
