"""The steps of a packet's way, each with whether it holds and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstairs.access import Reason
from backstairs.access.truth import Truth, all_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstairs.access import Rule, Source


@dataclass(frozen=True, slots=True)
class Step:
    """One condition on the way: whether it holds, and why."""

    truth: Truth
    reason: Reason


def holds(rule: Rule, text: str, source: Source) -> Step:
    """A step that is taken."""
    return Step(True, Reason(rule, text, source))  # noqa: FBT003


def stops(rule: Rule, text: str, source: Source) -> Step:
    """A step that ends the way."""
    return Step(False, Reason(rule, text, source))  # noqa: FBT003


def unknown(rule: Rule, text: str, source: Source) -> Step:
    """A step of which it is not known."""
    return Step(None, Reason(rule, text, source))


def together(steps: Sequence[Step]) -> Step:
    """One step for several addresses; not known where some get through and some do not."""
    truth = all_of(step.truth for step in steps)
    decisive = next(step for step in steps if step.truth is truth)
    if truth is False and any(step.truth is not False for step in steps):
        reason = decisive.reason
        text = f"for some of the subnets: {reason.text}"
        return Step(None, Reason(reason.rule, text, reason.source))
    return decisive


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is sent: `tcp` or `udp`, to a port."""

    protocol: str
    port: int

    def __str__(self) -> str:
        return f"on {self.protocol} {self.port}"


@dataclass(frozen=True, slots=True)
class Party:
    """What sends or takes packets, with its subnets and security groups by name.

    `groups` None: it may have whatever security groups its VPC has.
    """

    name: str
    subnets: tuple[str, ...]
    groups: tuple[str, ...] | None
    source: Source
