"""A role that may do everything with something, or something with everything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import grants, shown, texts
from backstairs.report.findings.model import Rule, Severity
from backstairs.report.findings.rules.grant_too_wide import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access.policy import Statement
    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="wildcard-grant",
    title="A role may do more than anybody wrote down",
    severity=Severity.NOTE,
    why=(
        "A star among the actions grants what is there and what AWS adds; one for the resource "
        "grants it on everything of the account, other teams' included."
    ),
    mend="Name the actions, and the resources by their ARNs.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
)

# `*`, `s3:*`, `s3:Get*`; not `sqs:SendMessage*`, which is an action and its variants.
_STARRED = re.compile(r"\*|[^:]*:([A-Z]?[^A-Z]*)?\*")
# Of these services, actions on data and on other identities take a resource.
_NAMED_RESOURCES = ("dynamodb", "iam", "kms", "lambda", "s3", "secretsmanager", "sns", "sqs", "sts")
# What asks about all there is, and takes none.
_ABOUT_ALL = ("list", "describe", "get", "batchget", "decode", "generaterandom", "createtopic")


def check(application: Application) -> Iterator[Finding]:
    """What roles and users may do."""
    for written in grants(application):
        statement = written.statement
        if calls(statement):
            continue
        for says in _problems(statement):
            yield RULE.finds(written.name, f"{written} {says}", written.source)


def _problems(statement: Statement) -> Iterator[str]:
    actions = texts(list(statement.actions))
    if statement.not_actions or statement.not_resources:
        yield "allows everything but something"
        return
    starred = [action for action in actions if _STARRED.fullmatch(action)]
    if starred:
        yield f"allows {shown(starred)}"
    elif "*" in statement.resources and not statement.conditions:
        anywhere = [action for action in actions if _takes_a_resource(action.lower())]
        if anywhere:
            yield f"allows {shown(anywhere)} on everything"


def _takes_a_resource(action: str) -> bool:
    service, _, operation = action.partition(":")
    # To invoke every function is the business of a rule of its own.
    invokes = (service, operation[:6]) == ("lambda", "invoke")
    return service in _NAMED_RESOURCES and not (invokes or operation.startswith(_ABOUT_ALL))
