"""What a decision lacks: each thing that it depends on and that is not known, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backstairs.access.patterns import Text

# How the commonest operators are said; all others are named.
_SAID = {
    "StringEquals": "is",
    "StringEqualsIgnoreCase": "is",
    "StringLike": "is like",
    "ArnEquals": "is like",
    "ArnLike": "is like",
    "IpAddress": "is in",
    "Bool": "is",
}


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is not known.

    Of a condition: its operator, key and values. Anything else has an empty operator and key; its
    `values` hold one text, a statement that is true or false (`the authorizer CUSTOM admits it`).
    `holds` is what is asked of it where it stands in a condition for something else.
    """

    operator: str
    key: str
    values: tuple[Text, ...]
    holds: bool = True

    @classmethod
    def of(cls, statement: str) -> Lack:
        """What is no condition of a policy, in words that can be true or false."""
        return cls("", "", (statement,))

    def __str__(self) -> str:
        values = " or ".join(map(str, self.values))
        if not self.operator:
            return values if self.holds else f"not: {values}"
        if self.operator == "Null":
            return f"{self.key} is {'absent' if self.holds else 'present'}"
        said = _SAID.get(self.operator)
        if said:
            said = said if self.holds else said.replace("is", "is not", 1)
            return f"{self.key} {said} {values}"
        listed = f"{self.operator} {self.key} [{', '.join(map(str, self.values))}]"
        return listed if self.holds else f"not: {listed}"
