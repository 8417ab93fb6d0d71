"""A resource policy that has no room left to grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import REST_API, compact, of_type, policy_of, source_of
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

_QUOTA = 8192
_NEAR = 0.8

RULE = Rule(
    id="policy-near-quota",
    title="The resource policy is near its quota",
    severity=Severity.WARNING,
    why=(
        f"A resource policy has at most {_QUOTA} characters, unless AWS raises the quota. SAM's "
        "whitelists take some 375 for each route, so one more route ends in a failed deployment."
    ),
    mend="Write statements for the whole API (CustomStatements with execute-api:/*).",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html",
)


def check(application: Application) -> Iterator[Finding]:
    """REST APIs' policies, the short form of ARNs written out as API Gateway stores it."""
    arn = f"arn:aws:execute-api:{application.region}:{application.account}:a1b2c3d4e5/"
    for name, api in of_type(application, REST_API):
        size = len(compact(policy_of(api)).replace("execute-api:/", arn))
        if size >= _QUOTA * _NEAR:
            says = f"its policy has about {size} characters of {_QUOTA}"
            severity = Severity.ERROR if size > _QUOTA else None
            yield RULE.finds(name, says, source_of(application, name), severity)
