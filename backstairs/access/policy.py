"""Policies, and which of their statements match a request.

Source: IAM User Guide, "IAM JSON policy elements reference". Action names and condition keys
ignore case; ARNs do not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from backstairs.access.conditions import Condition, Context, holds
from backstairs.access.patterns import (
    Text,
    Unresolved,
    action_match,
    arn_match,
    arn_matches_with_variables,
)
from backstairs.access.truth import Truth, all_of, any_of, negate

if TYPE_CHECKING:
    from backstairs.access.source import Source

# How an API's own policy may abbreviate its ARN.
SHORT_FORM = "execute-api:/"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a `Principal` element is compared with; all None is anonymous."""

    arn: str | None = None
    principal_arn: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource, by somebody, in a context.

    `api_arn` is what `execute-api:` stands for in the short form `execute-api:/stage/...`; None
    where that form is not documented, which is everywhere but in an API's own policy.
    """

    action: str
    resource: str
    caller: Caller
    context: Context
    api_arn: str | None = None


ActionMatch = Callable[[str], Truth]
ResourceMatch = Callable[[Request], Truth]


def _action_match(pattern: Text) -> ActionMatch:
    return _unknown if isinstance(pattern, Unresolved) else action_match(pattern)


def _resource_match(pattern: Text) -> ResourceMatch:
    """How a pattern of `Resource` is compared with a request's."""
    if isinstance(pattern, Unresolved):
        return _unknown
    if pattern.startswith(SHORT_FORM):
        return _short_form_match(pattern.removeprefix("execute-api:"))
    if "${" in pattern:
        return lambda request: arn_matches_with_variables(
            pattern, request.resource, request.context.get
        )
    match = arn_match(pattern)
    return lambda request: match(request.resource)


def _short_form_match(rest: str) -> ResourceMatch:
    """What follows the API's own ARN; unknown where that form is not documented."""
    match = None if "${" in rest else arn_match(rest)

    def matched(request: Request) -> Truth:
        if request.api_arn is None:
            return None
        if not request.resource.startswith(request.api_arn):
            return False
        tail = request.resource.removeprefix(request.api_arn)
        if match is None:
            return arn_matches_with_variables(rest, tail, request.context.get)
        return match(tail)

    return matched


def _unknown(_: object) -> Truth:
    return None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `principals` None means that the document is an identity policy.

    An account among the principals is its number. `variables` are the condition keys whose values
    the statement needs. `problem` says what in it could not be understood; it then matches nothing
    for certain. `source` is where it is written, where that is known.
    """

    name: str
    effect: Literal["Allow", "Deny"]
    principals: tuple[Text, ...] | None
    actions: tuple[Text, ...]
    not_actions: bool
    resources: tuple[Text, ...]
    not_resources: bool
    conditions: tuple[Condition, ...]
    variables: tuple[str, ...] = ()
    problem: str | None = None
    source: Source | None = None
    # Compiled when the policy is read, however many patterns it has.
    action_matches: tuple[ActionMatch, ...] = field(init=False, repr=False, compare=False)
    resource_matches: tuple[ResourceMatch, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "action_matches", tuple(map(_action_match, self.actions)))
        object.__setattr__(self, "resource_matches", tuple(map(_resource_match, self.resources)))

    def reads_in_two_ways(self, request: Request) -> bool:
        """Whether a pattern of `Resource` that is known may or may not cover a request's."""
        return any(
            isinstance(pattern, str) and "${" not in pattern and match(request) is None
            for pattern, match in zip(self.resources, self.resource_matches, strict=True)
            if request.api_arn or not str(pattern).startswith(SHORT_FORM)
        )

    @property
    def doubt(self) -> str:
        """Why it may match, where it may."""
        texts = [*(self.principals or ()), *self.actions, *self.resources]
        texts += [value for condition in self.conditions for value in condition.values]
        unresolved = ", ".join(text.why for text in texts if isinstance(text, Unresolved))
        return self.problem or unresolved or "it depends on a value that is not known"


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that matches, or may match (`truth` None) a request.

    `direct` is whether it does so without the help of a Principal that is an account: an Allow for
    an account leaves the choice to that account's identity policies. `two_readings`: a wildcard of
    its Resource may be read in two ways.
    """

    policy: Policy
    statement: Statement
    truth: Literal[True] | None
    direct: Truth
    two_readings: bool = False

    def __str__(self) -> str:
        return f"{self.statement.effect} {self.statement.name} of {self.policy.name}"

    @property
    def doubt(self) -> str:
        """Why it may match, where it may."""
        if self.two_readings:
            return "whether a wildcard within a segment of an ARN passes a colon is not known"
        return self.statement.doubt


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document with the name it is reported under."""

    name: str
    statements: tuple[Statement, ...]

    def matching(self, request: Request) -> list[Match]:
        """The statements that match a request, and those that may."""
        found = []
        for statement in self.statements:
            truth, direct = _match(statement, request)
            if truth is not False:
                two = truth is None and statement.reads_in_two_ways(request)
                found.append(Match(self, statement, truth, direct, two))
        return found


def _match(statement: Statement, request: Request) -> tuple[Truth, Truth]:
    """Whether a statement matches, and whether it does so whatever accounts it names."""
    who, direct = _principal(statement.principals, request.caller)
    if who is False:
        return False, False
    action = any_of(match(request.action) for match in statement.action_matches)
    if statement.not_actions:
        action = negate(action)
    if action is False:
        return False, False
    lookup = request.context.get
    resource = any_of(match(request) for match in statement.resource_matches)
    if statement.not_resources:
        resource = negate(resource)
    if resource is False:
        return False, False
    what = all_of(
        (
            action,
            resource,
            *(holds(condition, request.context) for condition in statement.conditions),
        )
    )
    # AWS: a variable without a value may make the statement invalid. Then it matches nothing, so
    # what did not match is sure, and what did is not.
    if what and (statement.problem or any(not lookup(name) for name in statement.variables)):
        what = None
    return all_of((who, what)), all_of((direct, what))


def _principal(principals: tuple[Text, ...] | None, caller: Caller) -> tuple[Truth, Truth]:
    """Whether the Principal element names the caller, and whether otherwise than by its account."""
    if principals is None or "*" in principals:
        return True, True
    direct: Truth = False
    for principal in principals:
        if isinstance(principal, Unresolved):
            direct = None
        elif principal in (caller.arn, caller.principal_arn):
            return True, True
    return (True if caller.account in principals else direct), direct
