"""Policies, and which of their statements match a request.

Source: IAM User Guide, "IAM JSON policy elements reference". Action names and condition keys
ignore case; ARNs do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backstairs.access.conditions import Condition, Context, holds
from backstairs.access.patterns import Text, Unresolved, matches, matches_with_variables
from backstairs.access.truth import Truth, all_of, any_of, negate

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


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `principals` None means that the document is an identity policy.

    An account among the principals is its number. `variables` are the condition keys whose values
    the statement needs. `problem` says what in it could not be understood; it then matches nothing
    for certain.
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
    an account leaves the choice to that account's identity policies.
    """

    policy: Policy
    statement: Statement
    truth: Literal[True] | None
    direct: Truth

    def __str__(self) -> str:
        return f"{self.statement.effect} {self.statement.name} of {self.policy.name}"


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
                found.append(Match(self, statement, truth, direct))
        return found


def _match(statement: Statement, request: Request) -> tuple[Truth, Truth]:
    """Whether a statement matches, and whether it does so whatever accounts it names."""
    who, direct = _principal(statement.principals, request.caller)
    if who is False:
        return False, False
    action = any_of(
        None
        if isinstance(pattern, Unresolved)
        else matches(pattern, request.action, ignore_case=True)
        for pattern in statement.actions
    )
    if statement.not_actions:
        action = negate(action)
    if action is False:
        return False, False
    lookup = request.context.get
    resource = any_of(
        matches_with_variables(_full_arn(pattern, request.api_arn), request.resource, lookup)
        for pattern in statement.resources
    )
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


def _full_arn(pattern: Text, api_arn: str | None) -> Text:
    if isinstance(pattern, str) and pattern.startswith(SHORT_FORM):
        if api_arn is None:
            return Unresolved(f"{pattern} is no ARN")
        return api_arn + pattern.removeprefix("execute-api:")
    return pattern


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
