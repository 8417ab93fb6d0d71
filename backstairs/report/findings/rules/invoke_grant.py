"""A grant to invoke functions behind the backs of the APIs that guard them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import grants, shown, texts
from backstairs.report.findings.functions import behind_apis, reached_by
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access.policy import Statement
    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application, DeclaredPrincipal

RULE = Rule(
    id="invoke-grant",
    title="A role may invoke functions past their API",
    severity=Severity.WARNING,
    why=(
        "lambda:InvokeFunction needs no network and no API: whoever holds it hands the function an "
        "event of their own making, with any caller, path and claims in it."
    ),
    mend="Grant execute-api:Invoke on the route instead, or name the one function that is meant.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/lambda/latest/dg/access-control-identity-based.html",
)

# `*`, or an ARN whose function is a star, of whatever qualifier.
_EVERY = re.compile(r"\*|arn:[^:]*:lambda:[^:]*:[^:]*:(function:)?\*(:\*)?")
_ACTIONS = ("lambda:InvokeFunction", "lambda:InvokeAsync", "lambda:InvokeFunctionUrl")


def check(application: Application) -> Iterator[Finding]:
    """Grants on functions behind APIs, or on all functions there are."""
    behind = behind_apis(application)
    holders = {one.name: one for one in application.principals}
    for written in grants(application):
        others = _others(holders[written.name], behind)
        reached = _reached(application, written.statement, others)
        if reached:
            says = f"{written} allows to invoke {shown(reached)}"
            yield RULE.finds(written.name, says, written.source)


def _others(holder: DeclaredPrincipal, behind: dict[str, str]) -> dict[str, str]:
    """The functions that a role gets at past their APIs.

    A function that calls itself gets past nobody, nor does API Gateway, which invokes by the role.
    """
    if holder.trusted == ("apigateway.amazonaws.com",):
        return {}
    return {name: api for name, api in behind.items() if name not in holder.functions}


def _reached(application: Application, statement: Statement, behind: dict[str, str]) -> list[str]:
    """The functions behind APIs that a grant reaches, or every one."""
    matched = any(match(action) for match in statement.action_matches for action in _ACTIONS)
    if not matched or statement.not_actions:
        return []
    patterns = texts(list(statement.resources))
    if any(map(_EVERY.fullmatch, patterns)):
        return ["every function"]
    reached = {name for pattern in patterns for name in reached_by(application, pattern)}
    return [f"{name} past {api}" for name, api in behind.items() if name in reached]
