"""A web function's endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import of_type, source_of
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="web-function",
    title="A web function answers without an API",
    severity=Severity.WARNING,
    why=(
        "Its endpoint is a way of its own: no API's authorizer, resource policy, key or endpoint "
        "stands before it, and who may call it is not decided here."
    ),
    mend="Put what must be private behind the private API; or accept it with a reason.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-webfunction.html",
)


def check(application: Application) -> Iterator[Finding]:
    """Endpoints of web functions."""
    for name, _ in of_type(application, "AWS::Lambda::WebFunctionEndpoint"):
        says = "whom this endpoint admits is not decided here"
        yield RULE.finds(name, says, source_of(application, name))
