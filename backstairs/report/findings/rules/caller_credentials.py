"""Functions called with the credentials of whoever calls the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backstairs.access import Known
from backstairs.report.findings.evidence import REST_API, mapping, of_type, shown, source_of
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="caller-credentials",
    title="The function is called with the caller's credentials",
    severity=Severity.WARNING,
    why=(
        "SAM's default for AWS_IAM. Every caller then needs lambda:InvokeFunction on the function "
        "beside the grant for the route: without it the call fails with a 500, with it the "
        "caller may invoke the function past the API, with any event."
    ),
    mend="Set Auth.InvokeRole: NONE, so that API Gateway invokes by the function's permission.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-apiauth.html",
)

# API Gateway's name for "the caller's own".
_CALLERS = ":iam::*:user/*"


def check(application: Application) -> Iterator[Finding]:
    """REST APIs' integrations, in the definition or as resources of their own."""
    for name, api in of_type(application, REST_API):
        routes = list(_routes(mapping(mapping(api.get("Body")).get("paths"))))
        if routes:
            says = f"{shown(routes)} invoke with the credentials of whoever calls"
            yield RULE.finds(name, says, source_of(application, name))
    for name, method in of_type(application, "AWS::ApiGateway::Method"):
        if _CALLERS in str(mapping(method.get("Integration")).get("Credentials")):
            says = "it invokes with the credentials of whoever calls"
            yield RULE.finds(name, says, source_of(application, name))


def _routes(paths: Mapping[str, Any]) -> Iterator[str]:
    for path, item in paths.items():
        for verb, method in mapping(item).items():
            integration = mapping(mapping(method).get("x-amazon-apigateway-integration"))
            if _CALLERS in str(integration.get("credentials")):
                yield f"{'ANY' if verb.startswith('x-') else verb.upper()} {path}"
