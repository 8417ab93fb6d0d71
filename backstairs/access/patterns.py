"""Text as policies match it: wildcards, policy variables, and values nobody can resolve yet."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
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
_PARTS = re.compile(r"(\$\{[*?$]\}|\*|\?)")


@lru_cache(maxsize=4096)
def _compiled(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    pieces = [""]
    for part in _PARTS.split(pattern):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += "." if part == "?" else re.escape(literal(part))
    first, *others = pieces
    # Atomic groups: a caller chooses the path, and must not choose how long it takes to match.
    middle = "".join(f"(?>.*?{piece})" for piece in others[:-1] if piece)
    regex = f"{first}{middle}.*{others[-1]}" if others else first
    return re.compile(regex, re.DOTALL | (re.IGNORECASE | re.ASCII if ignore_case else 0))


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether `pattern` covers all of `value`: `*` any run, `/` included, `?` one character.

    Source: IAM User Guide, "IAM JSON policy elements: Resource".
    """
    return _compiled(pattern, ignore_case=ignore_case).fullmatch(value) is not None


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


def matches_with_variables(pattern: Text, value: str, lookup: Lookup) -> Truth:
    """Whether `pattern`, its variables replaced, covers `value`; unknown if unresolved."""
    if isinstance(pattern, Unresolved):
        return None
    replaced = substitute(pattern, lookup)
    if replaced is None:
        return False
    return None if isinstance(replaced, Unresolved) else matches(replaced, value)
