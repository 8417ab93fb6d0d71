"""The lines that two versions of the same files do not share."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backstairs.access import Source

Files = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that were replaced: `old` from line `old_line` on by `new` from `new_line` on.

    Lines count from 1; either may be none.
    """

    file: str
    old_line: int
    old: tuple[str, ...]
    new_line: int
    new: tuple[str, ...]

    def __str__(self) -> str:
        line = self.new_line if self.new else self.old_line
        return f"{self.file}:{line}{'' if self.new else ' (before)'}"


def hunks(old: Mapping[str, list[str]], new: Mapping[str, list[str]]) -> list[Hunk]:
    """What changed in each file, those that only one side has included."""
    return [hunk for file in sorted({*old, *new}) for hunk in _of(file, old, new)]


def _of(file: str, old: Mapping[str, list[str]], new: Mapping[str, list[str]]) -> Iterator[Hunk]:
    before, after = old.get(file, []), new.get(file, [])
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind != "equal":
            lines = tuple(before[start:end]), tuple(after[new_start:new_end])
            yield Hunk(file, start + 1, lines[0], new_start + 1, lines[1])


def within(hunk: Hunk, place: Source, lines: Mapping[str, list[str]], *, new: bool) -> bool:
    """Whether a hunk touches the block that begins at a place in the old or the new files."""
    if hunk.file != place.file:
        return False
    first, last = place.line, _end(lines.get(place.file, []), place.line)
    start = hunk.new_line if new else hunk.old_line
    count = len(hunk.new if new else hunk.old)
    # Where nothing stands on this side, it is between two lines.
    return start <= last and start + max(count, 1) > first + (0 if count else 1)


def _end(lines: list[str], first: int) -> int:
    """The last line of the block that begins at a line: all that is indented deeper."""
    if not 1 <= first <= len(lines):
        return first
    depth = _depth(lines[first - 1])
    for number, line in enumerate(lines[first:], first + 1):
        if line.strip() and _depth(line) <= depth and not line.lstrip().startswith(("}", "]")):
            return number - 1
    return len(lines)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
