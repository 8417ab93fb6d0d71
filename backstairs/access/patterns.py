"""Text as policies match it: wildcards, policy variables, and values nobody can resolve yet."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_uppercase
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from backstairs.access.truth import Truth


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A value that is not known, and why; whatever depends on it is unknown."""

    why: str

    def __str__(self) -> str:
        return f"<{self.why}>"


Text = str | Unresolved

# The values of a condition key; none when it is absent, None when that is not known.
Lookup = Callable[[str], tuple[str, ...] | None]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_SPECIAL = re.compile(r"[*?$]")
# The escapes ${*}, ${?} and ${$} stand for the characters themselves.
_ESCAPE = re.compile(r"\$\{([*?$])\}")
# A wildcard within a segment of an ARN: a question mark, or a star that does not end the segment.
_WITHIN = re.compile(r"\*(?![*:]|\Z)|\?")
_LOWER = {ord(letter): letter.lower() for letter in ascii_uppercase}
_PARTS = re.compile(r"(\$\{[*?$]\}|\*|\?)")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a pattern: text, or a wildcard, which may have to stay between two colons."""

    text: str
    wildcard: Literal["", "?", "*"] = ""
    within: bool = False


def parts_of(pattern: str, *, segments: bool = False) -> list[Part]:
    """A pattern's parts in their order; with `segments`, wildcards stay between two colons.

    A star before a colon, or at the end, passes colons all the same.
    """
    written = _PARTS.split(pattern)
    found = []
    for index, part in enumerate(written):
        if part == "*":
            after = "".join(written[index + 1 :]).lstrip("*") if segments else ""
            found.append(Part("", "*", bool(after) and not after.startswith(":")))
        elif part == "?":
            found.append(Part("", "?", segments))
        elif part:
            found.append(Part(literal(part)))
    return found


def _regex(pattern: str, *, segments: bool = False) -> re.Pattern[str]:
    """A pattern as a regular expression.

    Atomic groups: a caller chooses the path, and must not choose how long it takes to match. The
    first place where a group fits is as good as any later one. That holds of runs within a segment
    as long as the colon before them is not chosen for good, so they are in one group with it.
    """
    pieces, runs = [""], []
    for part in parts_of(pattern, segments=segments):
        one = "[^:]" if part.within else "."
        if part.wildcard == "*":
            runs.append(f"{one}*")
            pieces.append("")
        else:
            pieces[-1] += one if part.wildcard else re.escape(part.text)
    regex, group = pieces[0], ""
    following = list(zip(runs, pieces[1:], strict=True))
    for run, piece in following[:-1]:
        if not piece:
            continue
        if run == ".*":
            regex += f"(?>{group})" if group else ""
            group = f".*?{piece}"
        elif group:
            group += f"(?>{run}?{piece})"
        else:
            regex += f"(?>{run}?{piece})"
    for run, piece in following[-1:]:
        regex += f"(?>{group})" if group and run == ".*" else group
        regex += f"{run}{piece}"
    return re.compile(regex, re.DOTALL)


@lru_cache(maxsize=4096)
def _cached(pattern: str, *, ignore_case: bool) -> Callable[[str], bool]:
    return glob(pattern.translate(_LOWER) if ignore_case else pattern)


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether `pattern` covers all of `value`: `*` any run, `/` included, `?` one character.

    `ignore_case`: of ASCII letters. Source: IAM User Guide, "IAM JSON policy elements: Resource".
    """
    if ignore_case:
        value = value.translate(_LOWER)
    return _cached(pattern, ignore_case=ignore_case)(value)


Match = Callable[[str], "Truth"]


def glob(pattern: str) -> Callable[[str], bool]:
    """`pattern` compiled: whether it covers all of a value.

    Most patterns have stars alone; each of their pieces is then looked for behind the one before.
    """
    if "?" in pattern or "${" in pattern:
        fullmatch = _regex(pattern).fullmatch
        return lambda value: fullmatch(value) is not None
    first, *others = pattern.split("*")
    if not others:
        return first.__eq__
    *middle, last = others
    pieces = tuple(piece for piece in middle if piece)
    shortest = len(first) + len(last) + sum(map(len, pieces))
    if not pieces:
        return lambda value: (
            len(value) >= shortest and value.startswith(first) and value.endswith(last)
        )

    def covers(value: str) -> bool:
        end = len(value) - len(last)
        if len(value) < shortest or not value.startswith(first) or not value.endswith(last):
            return False
        place = len(first)
        for piece in pieces:
            place = value.find(piece, place, end)
            if place < 0:
                return False
            place += len(piece)
        return True

    return covers


def arn_match(pattern: str) -> Match:
    """`pattern` compiled for ARNs: unknown where AWS's two readings of a wildcard differ.

    A wildcard stays within its segment, the text between two colons; only a `*` that ends one "can
    expand to match beyond the colon boundaries". Whether AWS keeps to that where a plain wildcard
    would match more is not known. Source: IAM User Guide, "IAM JSON policy elements: Resource",
    "Using wildcards in resource ARNs".
    """
    covers = glob(pattern)
    # Only a star within a segment, or a question mark, can be read in two ways.
    if not _WITHIN.search(_ESCAPE.sub("", pattern)):
        return covers
    within: list[re.Pattern[str]] = []

    def covers_in_both_readings(value: str) -> Truth:
        if not covers(value):
            return False
        if not within:
            within.append(_regex(pattern, segments=True))
        return True if within[0].fullmatch(value) else None

    return covers_in_both_readings


def literal(pattern: str) -> str:
    """A pattern's text where wildcards mean nothing: only its escapes are replaced."""
    return _ESCAPE.sub(r"\1", pattern) if "${" in pattern else pattern


def escaped(text: str) -> str:
    """A pattern that covers this text alone."""
    return _SPECIAL.sub(r"${\g<0>}", text)


def without_variables(pattern: str) -> str:
    """A pattern of the policy language before 2012-10-17, which has wildcards but no `${...}`."""
    return pattern.replace("${", "${$}{")


def variables(pattern: Text) -> list[str]:
    """The condition keys that a pattern's variables need: those without a default."""
    if isinstance(pattern, Unresolved) or "${" not in pattern:
        return []
    names = [found[1] for found in _VARIABLE.finditer(pattern)]
    return [name.strip() for name in names if "," not in name and name not in ("*", "?", "$")]


def asked(pattern: Text) -> list[str]:
    """All the condition keys that a pattern's variables ask for."""
    if isinstance(pattern, Unresolved) or "${" not in pattern:
        return []
    names = (found[1].partition(",")[0].strip() for found in _VARIABLE.finditer(pattern))
    return [name for name in names if name not in ("*", "?", "$")]


def substitute(pattern: str, lookup: Lookup) -> Text | None:
    """Replace `${aws:key}` and `${aws:key, 'default'}` by the request's values.

    Returns None where a variable has no value, Unresolved where that is not known. A value's own
    `*` and `?` are literal. Source: IAM User Guide, "IAM policy elements: Variables and tags".
    """
    if "${" not in pattern:
        return pattern
    result = []
    end = 0
    for found in _VARIABLE.finditer(pattern):
        result.append(pattern[end : found.start()])
        end = found.end()
        name, _, default = found[1].partition(",")
        if name in ("*", "?", "$"):
            result.append(found[0])
            continue
        values = lookup(name.strip())
        if values is None:
            return Unresolved(f"policy variable {found[0]} is not known")
        if len(values) > 1:
            return Unresolved(f"policy variable {found[0]} has several values")
        if not values and not default:
            return None
        result.append(escaped(values[0] if values else default.strip().strip("'")))
    return "".join(result) + pattern[end:]


def arn_matches_with_variables(pattern: str, value: str, lookup: Lookup) -> Truth:
    """Whether `pattern`, its variables replaced, covers an ARN; unknown if one is unresolved."""
    replaced = substitute(pattern, lookup)
    if replaced is None:
        return False
    return None if isinstance(replaced, Unresolved) else _cached_arn(replaced)(value)


@lru_cache(maxsize=4096)
def _cached_arn(pattern: str) -> Match:
    return arn_match(pattern)
