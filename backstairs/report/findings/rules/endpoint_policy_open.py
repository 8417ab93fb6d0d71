"""An endpoint that lets everything through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access import Policy
    from backstairs.access.policy import Statement
    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="endpoint-policy-open",
    title="The endpoint's policy allows everything",
    severity=Severity.WARNING,
    why=(
        "Whatever runs in the network may call every private API of every account through it that "
        "admits the endpoint: a way out for data, and one lock less before the APIs."
    ),
    mend=(
        "Give the endpoint a PolicyDocument that allows execute-api:Invoke on this account's APIs "
        "(arn:aws:execute-api:REGION:ACCOUNT:*)."
    ),
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-vpc-endpoint-policies.html",
)


def check(application: Application) -> Iterator[Finding]:
    """execute-api endpoints without a policy, or with one that asks nothing."""
    for declared in application.endpoints:
        policy = declared.endpoint.policy
        if policy is None:
            says = "it has no policy, which allows everything"
            yield RULE.finds(declared.name, says, declared.source)
        elif _allows_everything(policy):
            says = "its policy allows everything to everybody"
            yield RULE.finds(declared.name, says, declared.source)


def _allows_everything(policy: Policy) -> bool:
    denies = any(statement.effect == "Deny" for statement in policy.statements)
    return not denies and any(map(_is_everything, policy.statements))


def _is_everything(statement: Statement) -> bool:
    return (
        statement.effect == "Allow"
        and "*" in (statement.principals or ())
        and "*" in statement.resources
        and not statement.conditions
        and not statement.problem
        and not (statement.not_actions or statement.not_resources)
    )
