"""OPTIONS that reaches a function past the authorization of its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.calls import is_open, methods, named
from backstairs.report.findings.evidence import apis, shown
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="options-open",
    title="OPTIONS reaches the function without authorization",
    severity=Severity.WARNING,
    why=(
        "A preflight is answered by API Gateway itself where it is a mock. Here it invokes the "
        "function, for anybody, on an API whose other routes ask who calls; a function that "
        "does not look at the method does for it what it does for GET."
    ),
    mend="Let SAM answer (Cors on the API), or see that the function answers OPTIONS apart.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html",
)


def check(application: Application) -> Iterator[Finding]:
    """OPTIONS without authorization and with a function, where every other route asks."""
    for declared in apis(application):
        others = list(methods(declared.api))
        reached = [
            route
            for route in declared.api.routes
            if route.method == "OPTIONS" and route.function and is_open(route)
        ]
        if reached and others and not any(map(is_open, others)):
            says = f"{shown(named(reached))} invoke the function for anybody"
            yield RULE.finds(declared.name, says, declared.source)
