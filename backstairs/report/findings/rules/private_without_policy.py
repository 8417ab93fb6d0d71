"""A private API without a resource policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import (
    REST_API,
    is_private,
    of_type,
    policy_of,
    source_of,
    written_resources,
)
from backstairs.report.findings.model import Rule, Severity
from backstairs.report.findings.rules.whitelist_without_effect import writes_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="private-without-policy",
    title="A private API without a resource policy",
    severity=Severity.ERROR,
    why="A private API without a resource policy cannot be deployed, and admits nobody.",
    mend=(
        "Give it a policy: for routes with AWS_IAM two Denies (what does not come through the "
        "endpoint, what is not of the account), for open ones IntrinsicVpceWhitelist."
    ),
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html",
)


def check(application: Application) -> Iterator[Finding]:
    """Private REST APIs that have no policy, and were not written one that got lost."""
    written = {
        name
        for name, api in written_resources(application, "AWS::Serverless::Api")
        if writes_policy(api)
    }
    for name, api in of_type(application, REST_API):
        if is_private(api) and policy_of(api) is None and name not in written:
            says = "it is private, and has no resource policy"
            yield RULE.finds(name, says, source_of(application, name))
