"""What a statement can tell apart, for questions about every request and not only about one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backstairs.access.conditions import Condition
    from backstairs.access.patterns import Text

# A variable or an escaped character, a wildcard, any other character.
_SIGN = re.compile(r"\$\{[^}]*\}|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Distinctions:
    """What requests for one API must differ in for a statement to treat them differently.

    `globs` are patterns of what follows the API's ARN and a slash (`dev/GET/members/*`), wildcards
    and variables in them as in the policy; the statement is about what one of them covers, or,
    where it `is_not`, about what none does. `principals` as in `Statement`; `conditions` have keys,
    operators and values. `is_whole`: nothing in it is unresolved or not understood; otherwise it
    may tell more apart.
    """

    globs: tuple[str, ...]
    is_not: bool
    principals: tuple[Text, ...] | None
    conditions: tuple[Condition, ...]
    is_whole: bool

    @property
    def concerns_the_api(self) -> bool:
        """Whether the statement may match a request for the API."""
        return bool(self.globs) or self.is_not or not self.is_whole


def residues(pattern: str, prefix: str) -> tuple[str, ...]:
    """What is left of a pattern once it has covered `prefix`: one for each way to do so.

    `arn:*/dev/*` may cover `arn:a/dev/b/` and leave `*/dev/*`, or `*`.
    """
    signs = _SIGN.findall(pattern)
    places = {0}
    for letter in prefix:
        following = set()
        for place in _with_skipped(signs, places):
            sign = signs[place]
            if _is_run(sign):
                following.add(place)
            elif sign == "?" or _letter(sign) == letter:
                following.add(place + 1)
        places = following
    return tuple("".join(signs[place:]) for place in sorted(places))


def _with_skipped(signs: list[str], places: set[int]) -> set[int]:
    """The places where a letter may be compared: a run of any text may be empty."""
    found = set()
    for place in places:
        at = place
        while at < len(signs):
            found.add(at)
            if not _is_run(signs[at]):
                break
            at += 1
    return found


def _is_run(sign: str) -> bool:
    return sign == "*" or (sign.startswith("${") and len(sign) > len("${*}"))


def _letter(sign: str) -> str:
    """The character that a sign stands for: `${*}` is a star."""
    return sign[2] if sign.startswith("${") else sign
