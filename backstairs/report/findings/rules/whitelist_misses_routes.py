"""A whitelist that does not cover every route of its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Authorization, Known
from backstairs.report.findings.calls import covered, named
from backstairs.report.findings.evidence import apis, shown
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access import Route
    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application, DeclaredApi

RULE = Rule(
    id="whitelist-misses-routes",
    title="The resource policy speaks of some routes and not of others",
    severity=Severity.ERROR,
    why=(
        "A route that no statement covers is refused to everybody if it asks for no signature; if "
        "it asks for one, a grant is enough, from any endpoint or address. SAM writes a "
        "whitelist's statements only for the routes that it knows when it writes them."
    ),
    mend=(
        "Let the statements cover the whole API (CustomStatements with execute-api:/*), or declare "
        "the missing routes as events."
    ),
    known=Known.PUBLIC_REPORT,
    source="https://github.com/aws/serverless-application-model/issues/3764",
)


def check(application: Application) -> Iterator[Finding]:
    """APIs whose policy lets everybody in on some routes, and says nothing on others."""
    for declared in apis(application):
        missed = _missed(declared)
        if missed:
            iam = any(route.authorization is Authorization.AWS_IAM for route in missed)
            then = "a grant is enough there, from anywhere" if iam else "nobody may call them"
            says = f"its policy does not speak of {shown(named(missed))}: {then}"
            yield RULE.finds(declared.name, says, declared.source)


def _missed(declared: DeclaredApi) -> list[Route]:
    """The routes that no statement covers, of an API whose policy allows others to everybody."""
    policy = declared.api.policy
    allows = any(
        statement.effect == "Allow" and "*" in (statement.principals or ())
        for statement in (policy.statements if policy else ())
    )
    spoken_of = covered(declared) if allows else set(declared.api.routes)
    return [route for route in declared.api.routes if route not in spoken_of]
