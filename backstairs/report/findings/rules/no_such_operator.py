"""A condition operator that IAM does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.access.conditions import compared
from backstairs.report.findings.evidence import statements
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="no-such-operator",
    title="A condition operator that does not exist",
    severity=Severity.ERROR,
    why="The policy is refused when it is deployed, or its condition does not mean what it says.",
    mend="Write the operator as IAM does: StringEquals, StringNotEquals, ArnLike, IpAddress, ...",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html",
)


def check(application: Application) -> Iterator[Finding]:
    """Conditions of all policies."""
    for written in statements(application):
        for condition in written.statement.conditions:
            if not _exists(condition.operator):
                says = f"{written}: there is no operator {condition.operator}"
                yield RULE.finds(written.name, says, written.source)


def _exists(operator: str) -> bool:
    """Whether IAM has it: what is modelled, and two that compare nothing, or bytes."""
    base = operator.lower().rpartition(":")[2].removesuffix("ifexists")
    return compared(operator) is not None or base in ("null", "binaryequals")
