"""What a rule is, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backstairs.access import Known, Source


class Severity(Enum):
    """How bad it is, by SARIF's names for it, worst first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the resource `name`, in words, and where it is written.

    `accepted` is the reason that somebody gave for leaving it as it is.
    """

    rule: Rule
    name: str
    says: str
    source: Source
    severity: Severity
    accepted: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is an error that nobody has accepted."""
        return self.severity is Severity.ERROR and self.accepted is None

    def accept(self, reason: str) -> Finding:
        """The same, accepted for a reason."""
        return replace(self, accepted=reason)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wrong where this rule finds something, why it matters, and what mends it.

    `known` and `source` say how it is known, as for the rules of the decision.
    """

    id: str
    title: str
    severity: Severity
    why: str
    mend: str
    known: Known
    source: str

    def finds(
        self, name: str, says: str, source: Source, severity: Severity | None = None
    ) -> Finding:
        """A finding of this rule, as severe as the rule says unless something else is given."""
        return Finding(self, name, says, source, severity or self.severity)
