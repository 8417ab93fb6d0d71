"""SAM's second stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import of_type
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="second-stage",
    title='The API gets a second stage, called "Stage"',
    severity=Severity.NOTE,
    why=(
        "Without OpenApiVersion, SAM's deployment makes a stage of its own beside the one that is "
        "named. It serves the same routes, without the named one's throttling, logs, usage "
        "plans, web ACL and variables, and grants for the named stage do not fit it."
    ),
    mend="Set OpenApiVersion: 3.0.1 on the API or in Globals.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html",
)


def check(application: Application) -> Iterator[Finding]:
    """APIs of which a deployment makes a stage, where a stage is declared too."""
    declared = {one.api.api_id: one for one in application.apis}
    stages = of_type(application, "AWS::ApiGateway::Stage")
    staged = {str(stage.get("RestApiId")) for _, stage in stages}
    for _, deployment in of_type(application, "AWS::ApiGateway::Deployment"):
        one = declared.get(str(deployment.get("RestApiId")))
        if one and one.api.api_id in staged and deployment.get("StageName") == "Stage":
            says = 'it serves the same routes under the stage "Stage" too'
            severity = Severity.WARNING if one.api.private else None
            yield RULE.finds(one.name, says, one.source, severity)
