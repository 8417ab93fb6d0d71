"""OPTIONS that asks for what no browser sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Authorization, Known
from backstairs.report.findings.calls import is_open, methods, named, origins, refused, settled
from backstairs.report.findings.evidence import apis, shown
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access import Origin, Route
    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application, DeclaredApi

RULE = Rule(
    id="preflight-refused",
    title="No browser can ask before it calls",
    severity=Severity.WARNING,
    why=(
        "A browser's preflight carries no signature, token or key. An OPTIONS that asks for one, "
        "or that the resource policy refuses to anonymous callers, ends every cross-origin call. "
        "SAM puts the default authorizer on it unless it is told not to."
    ),
    mend=(
        "Set AddDefaultAuthorizerToCorsPreflight: false (AddApiKeyRequiredToCorsPreflight: false), "
        "and let the policy admit OPTIONS; or leave Cors out where no browser calls."
    ),
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-apiauth.html",
)


def check(application: Application) -> Iterator[Finding]:
    """APIs with OPTIONS routes that refuse every anonymous call."""
    application = settled(application)
    places = origins(application)
    for declared in apis(application):
        found = _refused(declared, places)
        if found:
            says = f"{shown(named(found))} cannot be asked without a signature, token or key"
            yield RULE.finds(declared.name, says, declared.source)


def _refused(declared: DeclaredApi, places: list[Origin]) -> list[Route]:
    """Each OPTIONS that asks for an identity, or that a policy which admits others refuses."""
    routes = declared.api.routes
    preflights = [route for route in routes if route.method == "OPTIONS"]
    # Where no route asks for an identity, a policy that refuses them is another matter.
    if all(route.authorization is Authorization.NONE for route in methods(declared.api)):
        return [route for route in preflights if not is_open(route)]
    by_policy = refused(declared, preflights, places, None)
    return [route for route in preflights if route in by_policy or not is_open(route)]
