"""The statements of two versions that no comparison of cells can tell apart.

A cell asks at no certain time, about no certain organisation. Where a statement depends on such
things, both versions may decide each cell alike and yet let in others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from backstairs.access import Policy
    from backstairs.access.conditions import Condition
    from backstairs.access.policy import Statement
    from backstairs.template.model import Application

# Keys of which cells ask about each value that a policy names, as long as it is no pattern.
_NAMED = frozenset({"aws:sourcevpce", "aws:sourcevpc"})
# Keys of which they ask about each class of values.
_CLASSES = frozenset({"aws:sourceip", "aws:vpcsourceip", "aws:username"})
_CLASSES |= {"aws:principalarn", "aws:principalaccount"}
_TAG = "aws:principaltag/"
# Policies that let in nobody by themselves: the first one of an endpoint or principal only bounds.
_BOUNDS = "what bounds "


def may_gain(base: Application, head: Application) -> tuple[tuple[str, Statement], ...]:
    """What may let in more than before: an Allow that is new or other, a Deny that is gone.

    Each with what it belongs to.

    Only of what the newer version has still, and only statements that cells do not tell apart.
    """
    old, new = dict(_undecided(base)), dict(_undecided(head))
    had, has = ({owner for owner, _ in _policies(side)} for side in (base, head))
    more = [
        (owner, one)
        for (owner, what), one in new.items()
        if (owner, what) not in old
        and one.effect == "Allow"
        and (owner in had or not owner.startswith(_BOUNDS))
    ]
    gone = [
        (owner, one)
        for (owner, what), one in old.items()
        if (owner, what) not in new and one.effect == "Deny" and owner.removeprefix(_BOUNDS) in has
    ]
    return (*more, *gone)


def _undecided(application: Application) -> Iterator[tuple[tuple[str, Hashable], Statement]]:
    for owner, policy in _policies(application):
        for one in policy.statements if policy else ():
            if not _is_told(one):
                yield (owner, _meaning(one)), one


def _policies(application: Application) -> Iterator[tuple[str, Policy | None]]:
    """Every policy, by what it belongs to; what is bounded is there without one."""
    for declared in application.apis:
        yield f"API {declared.name}", declared.api.policy
    for endpoint in application.endpoints:
        yield f"endpoint {endpoint.name}", None
        if endpoint.endpoint.policy:
            yield f"{_BOUNDS}endpoint {endpoint.name}", endpoint.endpoint.policy
    for holder in application.principals:
        who = holder.principal
        yield f"principal {holder.name}", None
        for policy in who.policies:
            yield f"principal {holder.name}", policy
        for policy in (*who.limits, *who.session):
            yield f"{_BOUNDS}principal {holder.name}", policy


def _is_told(statement: Statement) -> bool:
    """Whether the cells ask for everything that the statement tells apart."""
    if statement.problem or statement.variables:
        return False
    texts = (*(statement.principals or ()), *statement.actions, *statement.resources)
    if not all(isinstance(text, str) for text in texts):
        return False
    return all(map(_is_asked, statement.conditions))


def _is_asked(condition: Condition) -> bool:
    key = condition.key.lower()
    if key in _NAMED:
        return all(map(_is_plain, condition.values))
    by_class = key in _CLASSES or key.startswith(_TAG)
    return by_class and all(isinstance(value, str) for value in condition.values)


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and not re.search(r"[*?$]", value)


def _meaning(one: Statement) -> Hashable:
    """Equal for statements that say the same, wherever they stand."""
    conditions = frozenset(
        (each.operator.lower(), each.key.lower(), frozenset(map(str, each.values)))
        for each in one.conditions
    )
    principals = None if one.principals is None else frozenset(map(str, one.principals))
    actions = frozenset(str(action).lower() for action in one.actions)
    resources = frozenset(map(str, one.resources))
    return (
        one.effect,
        principals,
        (one.not_actions, actions),
        (one.not_resources, resources),
        conditions,
        one.problem,
    )
