"""A function that lets in more than its API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backstairs.access import Known, Unresolved
from backstairs.report.findings.evidence import of_type, source_of
from backstairs.report.findings.functions import named_function
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="function-permission",
    title="The function's own policy lets in others than its API",
    severity=Severity.WARNING,
    why=(
        "A permission for API Gateway without SourceArn is one for every API of every account; one "
        "for an account or for everybody needs no API at all."
    ),
    mend=(
        "Add SourceArn with the API, method and path (SAM writes such permissions itself); remove "
        "permissions for accounts, or accept them with a reason."
    ),
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
)

_OF_A_URL = {"FunctionUrlAuthType", "InvokedViaFunctionUrl"}
_NARROWED = ("SourceArn", "SourceAccount", "PrincipalOrgID")


def check(application: Application) -> Iterator[Finding]:
    """Permissions of functions, but for those of function URLs."""
    for name, permission in of_type(application, "AWS::Lambda::Permission"):
        who = permission.get("Principal")
        if isinstance(who, Unresolved) or _OF_A_URL & permission.keys():
            continue
        found = _says(str(who), permission)
        if found:
            function = named_function(application, permission.get("FunctionName"))
            severity = Severity.ERROR if who == "*" else None
            says = f"{found} may invoke {function}"
            yield RULE.finds(name, says, source_of(application, name), severity)


def _says(who: str, permission: Mapping[str, Any]) -> str | None:
    narrowed = any(key in permission for key in _NARROWED)
    if who == "*":
        return None if narrowed else "anybody"
    if who == "apigateway.amazonaws.com":
        return None if narrowed else "anybody's API"
    return None if who.endswith((".amazonaws.com", ".amazonaws.com.cn", ".amazon.com")) else who
