"""What a call comes to: the decision on it, what is answered, and who answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from backstairs.access import Decision, Verdict

if TYPE_CHECKING:
    from backstairs.access.refusals import Refusal
    from backstairs.gateway.proxy_response import Answer


UNDECIDED = Decision(Verdict.UNKNOWN, ())
"""The decision before anything has been looked at."""


class By(Enum):
    """Who ended a call."""

    ACCESS = "access"
    LIMITS = "limits"
    VALIDATION = "validation"
    INTEGRATION = "integration"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a call. Unless it is by the function, the decision's last reason says why.

    A verdict of ALLOWED with an end by the integration: nothing refused the call, and what is
    behind the API gave no answer that could be sent.
    """

    decision: Decision
    response: Answer | Refusal
    by: By


def refused(decision: Decision, by: By) -> Outcome:
    """The end of a call by a decision that holds an answer."""
    if decision.refusal is None:
        raise ValueError("an admitted call has no refusal")
    return Outcome(decision, decision.refusal, by)
