"""A route that is not only for reading, on an API that asks nobody who they are."""

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

_READS = ("GET", "HEAD")

RULE = Rule(
    id="write-without-identity",
    title="Whoever reaches the API may do more than read",
    severity=Severity.WARNING,
    why=(
        "No route of the API asks for an identity, and not all of them only read. A network that "
        "is trusted today has other guests tomorrow; on a public API it is the whole internet."
    ),
    mend=(
        "Set an authorizer (DefaultAuthorizer: AWS_IAM for callers within AWS); or accept it where "
        "the function itself proves who calls, as for webhooks."
    ),
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html",
)


def check(application: Application) -> Iterator[Finding]:
    """APIs without any authorization whose methods are not only GET and HEAD."""
    for declared in apis(application):
        routes = list(methods(declared.api))
        writes = [route for route in routes if route.method not in _READS]
        if writes and all(map(is_open, routes)):
            first = declared.route_sources.get(writes[0], declared.source)
            says = f"{shown(named(writes))}: no identity is asked for"
            yield RULE.finds(declared.name, says, first)
