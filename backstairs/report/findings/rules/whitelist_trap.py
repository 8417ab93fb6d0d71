"""An Allow for everybody on routes that ask for a signature: grants no longer decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.calls import (
    admitted,
    named,
    origins,
    settled,
    signed,
    somebody,
    undecided,
)
from backstairs.report.findings.evidence import apis, shown
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access import Source
    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application, DeclaredApi

RULE = Rule(
    id="whitelist-trap",
    title="Whoever signs is let in, with a grant or without",
    severity=Severity.ERROR,
    why=(
        "In one account an Allow of the resource policy is enough: for AWS_IAM, API Gateway admits "
        "whom either side allows. So an Allow for everybody, which SAM's whitelists write, admits "
        "every role and user of the account that reaches the API, and grants mean nothing."
    ),
    mend=(
        "Replace the whitelist by Denies alone (CustomStatements: Deny what does not come through "
        "the endpoint, Deny what is not of the account), so that grants decide; or add a Deny by "
        "aws:PrincipalArn or aws:PrincipalTag for those who are not meant."
    ),
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html",
)

# Keys that tell one principal of an account from another.
_WHO = {"aws:principalarn", "aws:principaltag", "aws:userid", "aws:username"}


def check(application: Application) -> Iterator[Finding]:
    """APIs that admit a principal of the account without a grant."""
    application = settled(application)
    places, ungranted = origins(application), somebody(application)
    for declared in apis(application):
        routes, allow = signed(declared.api), _allow(declared)
        if allow is None:
            continue
        found, doubt, severity = admitted(declared, routes, places, ungranted), "", Severity.ERROR
        if not found and not _asks_who(declared):
            found, severity = undecided(declared, routes, places, ungranted), Severity.WARNING
            doubt = ", under conditions that are not known here"
        if found:
            says = f"a role of this account without any grant may call {shown(named(found))}{doubt}"
            yield RULE.finds(declared.name, says, allow, severity)


def _allow(declared: DeclaredApi) -> Source | None:
    """Where an Allow for everybody is written; None where there is none."""
    for statement in declared.api.policy.statements if declared.api.policy else ():
        if statement.effect == "Allow" and "*" in (statement.principals or ()):
            return statement.source or declared.source
    return None


def _asks_who(declared: DeclaredApi) -> bool:
    """Whether a condition of its policy asks who signed."""
    return any(
        condition.key.lower().partition("/")[0] in _WHO
        for statement in (declared.api.policy.statements if declared.api.policy else ())
        for condition in statement.conditions
    )
