"""An open route beside others that are not."""

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
    id="route-without-authorization",
    title="A route without authorization beside authorized ones",
    severity=Severity.WARNING,
    why=(
        "Whoever reaches the API may call it. Beside routes that ask who calls, one that does not "
        "is more often forgotten than meant."
    ),
    mend="Set the API's DefaultAuthorizer, or the route's Authorizer; or accept it with a reason.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html",
)


def check(application: Application) -> Iterator[Finding]:
    """APIs with both kinds of routes."""
    for declared in apis(application):
        routes = list(methods(declared.api))
        open_routes = [route for route in routes if is_open(route)]
        if open_routes and len(open_routes) < len(routes):
            first = declared.route_sources.get(open_routes[0], declared.source)
            says = f"{shown(named(open_routes))} ask for no identity, its other routes do"
            yield RULE.finds(declared.name, says, first)
