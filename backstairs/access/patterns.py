"""Text as policies match it: wildcards, policy variables, and values nobody can resolve yet."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

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
_PARTS = re.compile(r"(\$\{[*?$]\}|\*|\?)")


def _regex(pattern: str, *, ignore_case: bool = False, segments: bool = False) -> re.Pattern[str]:
    """A pattern as a regular expression; with `segments`, wildcards stay between two colons.

    Atomic groups: a caller chooses the path, and must not choose how long it takes to match.
    """
    one = "[^:]" if segments else "."
    parts = _PARTS.split(pattern)
    pieces = [""]
    runs = []
    for index, part in enumerate(parts):
        if part == "*":
            after = "".join(parts[index + 1 :]).lstrip("*")
            runs.append(".*" if not after or after.startswith(":") else f"{one}*")
            pieces.append("")
        else:
            pieces[-1] += one if part == "?" else re.escape(literal(part))
    first, *others = pieces
    if not others:
        return re.compile(first, _flags(ignore_case=ignore_case))
    middle = "".join(
        f"(?>{run}?{piece})" for run, piece in zip(runs, others[:-1], strict=False) if piece
    )
    regex = f"{first}{middle}{runs[-1]}{others[-1]}"
    return re.compile(regex, _flags(ignore_case=ignore_case))


def _flags(*, ignore_case: bool) -> re.RegexFlag:
    return re.DOTALL | (re.IGNORECASE | re.ASCII if ignore_case else re.NOFLAG)


@lru_cache(maxsize=4096)
def _cached(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    return _regex(pattern, ignore_case=ignore_case)


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether `pattern` covers all of `value`: `*` any run, `/` included, `?` one character.

    Source: IAM User Guide, "IAM JSON policy elements: Resource".
    """
    return _cached(pattern, ignore_case=ignore_case).fullmatch(value) is not None


Match = Callable[[str], "Truth"]


def action_match(pattern: str) -> Match:
    """`pattern` compiled for the names of actions, whose case does not matter."""
    return partial(_matched, _regex(pattern, ignore_case=True), None)


def arn_match(pattern: str) -> Match:
    """`pattern` compiled for ARNs: unknown where AWS's two readings of a wildcard differ.

    A wildcard stays within its segment, the text between two colons; only a `*` that ends one "can
    expand to match beyond the colon boundaries". Whether AWS keeps to that where a plain wildcard
    would match more is not known. Source: IAM User Guide, "IAM JSON policy elements: Resource",
    "Using wildcards in resource ARNs".
    """
    glob = _regex(pattern)
    # Only a star within a segment, or a question mark, can be read in two ways.
    within = _WITHIN.search(_ESCAPE.sub("", pattern))
    return partial(_matched, glob, _regex(pattern, segments=True) if within else None)


def _matched(glob: re.Pattern[str], segments: re.Pattern[str] | None, value: str) -> Truth:
    if glob.fullmatch(value) is None:
        return False
    return True if segments is None or segments.fullmatch(value) else None


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
    return None if isinstance(replaced, Unresolved) else arn_match(replaced)(value)
