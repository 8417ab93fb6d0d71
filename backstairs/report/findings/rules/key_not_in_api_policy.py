"""A condition key that IAM has, and API Gateway's resource policies do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import api_statements
from backstairs.report.findings.model import Rule, Severity
from backstairs.report.findings.rules.no_such_condition_key import exists

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="key-not-in-api-policy",
    title="A condition key that API Gateway does not list for resource policies",
    severity=Severity.WARNING,
    why=(
        "API Gateway lists the condition keys that its resource policies can use. What it makes of "
        "another one is not said: if it takes it for absent, a Deny with a negated operator "
        "refuses everybody, and one with a positive operator nobody."
    ),
    mend="Use a key of the list, such as aws:SourceVpce, aws:PrincipalAccount or aws:SourceIp.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html",
)

# "AWS condition keys that can be used in API Gateway resource policies".
_LISTED = frozenset(
    f"aws:{key}"
    for key in """
    currenttime epochtime multifactorauthage multifactorauthpresent principalaccount principalarn
    principalorgid principalorgpaths principaltag principaltype referer securetransport sourcearn
    sourceip sourcevpc sourcevpce tokenissuetime useragent userid username vpcsourceip
    """.split()  # noqa: SIM905 - read as a table
)


def check(application: Application) -> Iterator[Finding]:
    """Conditions of resource policies."""
    for written in api_statements(application):
        for condition in written.statement.conditions:
            key = condition.key.lower().partition("/")[0]
            if key.startswith("aws:") and key not in _LISTED and exists(condition.key):
                says = f"{written}: {condition.key} is not among the keys of resource policies"
                yield RULE.finds(written.name, says, written.source)
