"""The decision on one call by each of many callers: what none of them changes is weighed once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backstairs.access.decision import decide
from backstairs.access.gates import Decision, Reason, Who
from backstairs.access.model import Kind
from backstairs.access.paths import readings
from backstairs.access.patterns import asked
from backstairs.access.refusals import Denied
from backstairs.access.weighing import Weighing

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from backstairs.access.model import Call, Principal
    from backstairs.access.policy import Policy, Statement


class Crowd:
    """Callers whose calls are decided on together.

    Those whom the guarding policies cannot tell apart, and who hold nothing that concerns the call,
    are decided on once: the decision is the same but for the names in it.
    """

    def __init__(self, callers: Sequence[Principal | None]) -> None:
        self._callers = callers
        # Of the guards that were met, and of the resource that was asked for last.
        self._marks: list[tuple[tuple[Policy | None, ...], list[Hashable | None]]] = []
        self._resource, self._holding = "", [False] * len(callers)

    def decide(self, call: Call) -> Iterator[tuple[Decision, Principal | None]]:
        """What `decide` says of a call by each of them, in their order.

        Each with whom it was said of: `said_of` names another one in it.
        """
        known: dict[Hashable, tuple[Decision, Principal]] = {}
        for caller, mark in zip(self._callers, self._told_apart(call), strict=True):
            if caller is None or mark is None:
                yield decide(replace(call, caller=caller)), caller
                continue
            found = known.get(mark)
            if found is None:
                found = known[mark] = (decide(replace(call, caller=caller)), caller)
            yield found

    def _told_apart(self, call: Call) -> list[Hashable | None]:
        """What is equal for callers who are decided alike; None: this one is by itself."""
        api, route, endpoint = call.api, call.route, call.origin.endpoint
        if api is None or route is None or readings(call.path, http=api.kind is Kind.HTTP):
            return [None] * len(self._callers)
        self._hold(Weighing(call, api, route))
        marks = self._marks_of((api.policy, endpoint.policy if endpoint else None))
        return [None if holds else mark for holds, mark in zip(self._holding, marks, strict=True)]

    def _hold(self, weighing: Weighing) -> None:
        """Find who holds a statement that may concern the resource."""
        request = weighing.request
        if request.resource == self._resource:
            return
        self._resource = request.resource
        self._holding = [
            caller is not None and any(policy.concerned(request) for policy in caller.policies)
            for caller in self._callers
        ]

    def _marks_of(self, guards: tuple[Policy | None, ...]) -> list[Hashable | None]:
        for known, marks in self._marks:
            if all(one is other for one, other in zip(known, guards, strict=True)):
                return marks
        found = _marks(
            [one for guard in guards if guard for one in guard.statements], self._callers
        )
        self._marks.append((guards, found))
        return found


def _marks(
    statements: Sequence[Statement], callers: Sequence[Principal | None]
) -> list[Hashable | None]:
    """Of each caller, what some statements can ask about it."""
    keys = sorted({key.lower() for one in statements for key in _keys(one)})
    keys += sorted({f"{key.partition('/')[0]}/*" for key in keys if "/" in key})
    naming = [one for one in statements if not one.everybody]
    return [
        None
        if caller is None or caller.limits or caller.session
        else (
            caller.account,
            caller.kind,
            *(caller.keys.get(key) for key in keys),
            *(one.names(caller.named) for one in naming),
        )
        for caller in callers
    ]


def _keys(statement: Statement) -> Iterator[str]:
    """The condition keys that a statement asks for, in variables too."""
    for condition in statement.conditions:
        yield condition.key
        for value in condition.values:
            yield from asked(value)
    for resource in statement.resources:
        yield from asked(resource)


def said_of(caller: Principal, decision: Decision, one: Principal) -> Decision:
    """A decision on a call by `one`, as that on the same call by a caller who is like it."""
    answer = decision.answer
    if isinstance(answer, Denied) and answer.user == one.arn:
        answer = Denied(caller.arn, answer.resource, answer.because)
    reasons = tuple(
        _renamed(reason, caller) if reason.operands else reason for reason in decision.reasons
    )
    return Decision(decision.verdict, reasons, answer, decision.lacks)


def _renamed(reason: Reason, caller: Principal) -> Reason:
    operands = tuple(
        Who.of(caller, whole=one.whole) if isinstance(one, Who) else one for one in reason.operands
    )
    return Reason(reason.rule, reason.says, reason.source, operands, reason.match)
