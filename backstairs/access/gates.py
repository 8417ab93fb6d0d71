"""What a decision says, and what the gates that a call must pass come to together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from backstairs.access import refusals, rules
from backstairs.access.refusals import Denied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backstairs.access.lacks import Lack
    from backstairs.access.model import Principal
    from backstairs.access.policy import Match, Statement
    from backstairs.access.refusals import Refusal
    from backstairs.access.rules import Rule
    from backstairs.access.source import Source


class Verdict(Enum):
    """The outcome. UNKNOWN: something decisive cannot be modelled."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Who:
    """A caller in a reason: by its name, or by the `whole` ARN."""

    text: str
    whole: bool

    @classmethod
    def of(cls, caller: Principal, *, whole: bool = False) -> Who:
        """How a caller is called."""
        return cls(caller.arn if whole else caller.principal_arn.rpartition("/")[2], whole)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, and the rule it follows from; worded when somebody asks.

    `says` holds a place `{}` for each of the `operands`. Where a statement is the reason, `match`
    is that statement with its policy, and there is nothing else to say. `source` is where what
    decides is written, where that is known.
    """

    rule: Rule
    says: str = ""
    source: Source | None = None
    operands: tuple[object, ...] = ()
    match: Match | None = None

    @classmethod
    def of(cls, rule: Rule, match: Match) -> Reason:
        """The reason that a statement is."""
        return cls(rule, "", match.statement.source, (), match)

    @property
    def text(self) -> str:
        """The reason in words."""
        if self.match is not None:
            conditions = " and ".join(map(str, self.match.statement.conditions))
            return f"{self.match} matches" + (f" ({conditions})" if conditions else "")
        return self.says.format(*self.operands) if self.operands else self.says

    def __str__(self) -> str:
        return self.text

    @property
    def statement(self) -> Statement | None:
        """The statement that decides, where it is one."""
        return self.match.statement if self.match else None


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, its reasons in the order they were found, and the answer unless allowed.

    The last reason decides. `lacks` is what an unknown verdict depends on.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    answer: Refusal | Denied | None = None
    lacks: tuple[Lack, ...] = ()

    @property
    def refusal(self) -> Refusal | None:
        """What API Gateway answers; None to an admitted call."""
        return self.answer.refusal if isinstance(self.answer, Denied) else self.answer

    def because(self, reason: Reason) -> Decision:
        """The same verdict, with one more reason at the end."""
        return replace(self, reasons=(*self.reasons, reason))

    def refused(self, reason: Reason, answer: Refusal) -> Decision:
        """What a later step makes of it: refused, for a reason that decides."""
        return Decision(Verdict.REFUSED, (*self.reasons, reason), answer)

    def unknown(self, why: str, lacks: tuple[Lack, ...] = ()) -> Decision:
        """What a later step makes of it: unknown, because something is not modelled."""
        reasons = (*self.reasons, Reason(rules.NOT_MODELLED, why))
        return Decision(Verdict.UNKNOWN, reasons, refusals.undecided(why), (*self.lacks, *lacks))


PASSED = Decision(Verdict.ALLOWED, ())
"""A gate that a call passes, with nothing to say about it."""


def combined(gates: Iterable[Decision]) -> Decision:
    """What gates come to that a call must all pass, in the order in which AWS answers for them.

    One that refuses refuses the call, whatever is not known of the others; but where one before it
    is unknown, nobody can tell which of them answers.
    """
    reasons: list[Reason] = []
    doubts: list[str] = []
    lacks: dict[Lack, None] = {}
    for gate in gates:
        if gate.verdict is Verdict.REFUSED:
            answer = refusals.unworded("; ".join(doubts)) if doubts else gate.answer
            return Decision(Verdict.REFUSED, (*reasons, *gate.reasons), answer)
        if gate.verdict is Verdict.ALLOWED:
            reasons += gate.reasons
            continue
        for reason in gate.reasons:
            if reason.rule is rules.NOT_MODELLED:
                doubts.append(reason.text)
            else:
                reasons.append(reason)
        lacks.update(dict.fromkeys(gate.lacks))
    passed = Decision(Verdict.ALLOWED, tuple(reasons))
    return passed.unknown("; ".join(doubts), tuple(lacks)) if doubts else passed
