"""A grant of every method and path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import grants, shown, texts
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access.policy import Statement
    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="grant-too-wide",
    title="A grant that is wider than the routes",
    severity=Severity.WARNING,
    why=(
        "It reaches every route that is there, every one to come, and where it names no API, every "
        "API of the account that asks for IAM, other teams' among them."
    ),
    mend="Name the method and the path: .../STAGE/GET/members/*, and the API where it is known.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html",
)

# Everything; everything of an API; everything of a stage.
_WIDE = re.compile(r"\*|arn:[^:]*:execute-api:.*:[^/]*(/\*|/[^/]+/\*|/[^/]+/\*/\*)?")


def check(application: Application) -> Iterator[Finding]:
    """What roles and users may call."""
    for written in grants(application):
        wide = _wide(written.statement)
        if wide:
            says = f"{written} allows calls of every method and path: {shown(wide)}"
            yield RULE.finds(written.name, says, written.source)


def _wide(statement: Statement) -> list[str]:
    """The resources of a grant of calls that name no method and path."""
    if statement.not_resources or statement.not_actions or not calls(statement):
        return []
    return [text for text in texts(list(statement.resources)) if _WIDE.fullmatch(text)]


def calls(statement: Statement) -> bool:
    """Whether a statement is about calls of APIs, and says so."""
    return any(
        action.lower().startswith("execute-api:") and match("execute-api:Invoke")
        for action, match in zip(statement.actions, statement.action_matches, strict=True)
        if isinstance(action, str)
    )
