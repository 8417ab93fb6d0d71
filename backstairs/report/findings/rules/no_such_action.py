"""An action that API Gateway does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known, Unresolved
from backstairs.access.patterns import Text, matches
from backstairs.report.findings.evidence import (
    api_statements,
    endpoint_statements,
    identity_statements,
)
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

_ACTIONS = ("execute-api:Invoke", "execute-api:InvalidateCache", "execute-api:ManageConnections")

RULE = Rule(
    id="no-such-action",
    title="An action that does not exist",
    severity=Severity.ERROR,
    why=(
        "Calls of an API ask for execute-api:Invoke, whatever their method. A statement about "
        "another action is about no call: its Allow grants nothing, its Deny refuses nobody."
    ),
    mend="Write execute-api:Invoke, and the method into the Resource: .../STAGE/GET/path.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/service-authorization/latest/reference/list_apigatewaymanagementapi.html",
)


def check(application: Application) -> Iterator[Finding]:
    """Policies of APIs and endpoints, and what identity policies say of calls."""
    for written in (*api_statements(application), *endpoint_statements(application)):
        for action in written.statement.actions:
            if not _exists(action):
                says = f"{written}: {_text(action)} is no action on calls of an API"
                yield RULE.finds(written.name, says, written.source)
    for written in identity_statements(application):
        for action in written.statement.actions:
            if _is_meant(action) and not _exists(action):
                says = f"{written}: there is no action {_text(action)}"
                yield RULE.finds(written.name, says, written.source)


def _exists(action: Text) -> bool:
    """Whether a pattern covers one of the actions; what is not known may."""
    if isinstance(action, Unresolved):
        return not action.why.endswith("is no action")
    return any(matches(action, name, ignore_case=True) for name in _ACTIONS)


def _is_meant(action: Text) -> bool:
    """Whether somebody wanted to speak of calls."""
    name = _text(action).lower()
    service, _, operation = name.partition(":")
    alike = service.replace("_", "-").rstrip("s") in ("execute-api", "executeapi", "execute")
    return alike or (service in ("apigateway", "api-gateway") and operation.startswith("invoke"))


def _text(action: Text) -> str:
    return action if isinstance(action, str) else action.why.removesuffix(" is no action")
