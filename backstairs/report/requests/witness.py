"""What a search for requests finds: witnesses, and how much it has asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backstairs.access import Decision, Verdict, rules
from backstairs.access.patterns import escaped
from backstairs.report.requests.patterns import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from backstairs.access import Call
    from backstairs.report.matrix import Cell

UNDECIDED = Decision(Verdict.UNKNOWN, ())


@dataclass(frozen=True, slots=True)
class Claim:
    """Who may call, and the paths that are told apart for it."""

    allowed: Callable[[Cell], bool]
    named: frozenset[str]

    @property
    def patterns(self) -> frozenset[Pattern]:
        """The paths that it tells apart."""
        return frozenset(Pattern(escaped(path), segments=False, before="") for path in self.named)


@dataclass(frozen=True, slots=True)
class Witness:
    """A request outside the claim that is admitted, or of which nobody can say that it is not."""

    cell: Cell
    call: Call

    @property
    def decision(self) -> Decision:
        """What `access.decide` says of the call."""
        return self.cell.decision

    @property
    def admitted(self) -> bool:
        """Whether it is certain."""
        return self.cell.verdict is Verdict.ALLOWED

    @property
    def by_reading(self) -> str | None:
        """The rule of how a path that is not plain is read, where that is what is unknown."""
        read = (rules.PATH_AS_SENT, rules.HTTP_PATHS)
        lack = f"{self.call.path} is not read as "
        lacks = any(str(one).startswith(lack) for one in self.decision.lacks)
        found = (one.rule.name for one in self.decision.reasons if one.rule in read)
        return next(found, None) if lacks else None

    def __str__(self) -> str:
        question, caller, way = self.cell.question, self.cell.caller, self.cell.entrance
        at = f", at {self.call.now:%Y-%m-%dT%H:%M:%SZ}" if self.call.now else ""
        if caller.principal and self.call.facts:
            organization = self.call.facts.organizations.get(caller.principal.account)
            at += f", of organisation {organization.org_id}" if organization else ""
        who = f"{caller.name} ({caller.says}), from {way.name} ({way.says})"
        return f"{question.label} of {question.api.name} by {who}{at}"


@dataclass(slots=True)
class Coverage:
    """How many requests were decided, each for its class, and what could not be enumerated."""

    decided: int = 0
    left_out: dict[str, None] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every request that exists is in a class that was decided."""
        return not self.left_out
