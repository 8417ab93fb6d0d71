"""A private API that whoever has an endpoint may reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.calls import (
    admitted,
    covered,
    elsewhere,
    methods,
    named,
    settled,
    somebody_with_grants,
)
from backstairs.report.findings.evidence import apis, shown
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="any-endpoint",
    title="Any endpoint reaches the private API",
    severity=Severity.ERROR,
    why=(
        "Private means: through an execute-api endpoint, of any VPC and any account. Which ones "
        "is for the resource policy to say; VPCEndpointIds only give the API a name at them."
    ),
    mend=(
        "Add a Deny for everybody with StringNotEquals aws:SourceVpce (or aws:SourceVpc) and the "
        "endpoints that are meant."
    ),
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html",
)


def check(application: Application) -> Iterator[Finding]:
    """Private APIs that admit a call through an endpoint that nothing names."""
    application = settled(application)
    places = elsewhere(application)
    callers = (
        (None, Severity.ERROR, "anybody, unsigned,"),
        (somebody_with_grants(application), Severity.WARNING, "a principal with a grant"),
    )
    for declared in apis(application):
        spoken_of = covered(declared) if declared.api.private else ()
        routes = [route for route in methods(declared.api) if route in spoken_of]
        for caller, severity, who in callers:
            found = admitted(declared, routes, places, caller)
            if found:
                says = f"{who} may call {shown(named(found))} through any endpoint there is"
                yield RULE.finds(declared.name, says, declared.source, severity)
                break
