"""Names of API Gateway that lead to the endpoint, public APIs' too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import apis, of_type, shown, source_of
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="private-dns-shadows",
    title="The VPC can no longer call public APIs",
    severity=Severity.NOTE,
    why=(
        "With private DNS every execute-api name of the region leads to the endpoint, which "
        "answers for private APIs only: calls of public APIs from the VPC end with 403 Forbidden, "
        "those of other teams and vendors too."
    ),
    mend=(
        "Leave PrivateDnsEnabled off and call the private API by {api}-{vpce}.execute-api..., or "
        "by the endpoint's own name with x-apigw-api-id; or give public APIs a custom domain."
    ),
    known=Known.AWS_DOCUMENT,
    source="https://repost.aws/knowledge-center/api-gateway-vpc-connections",
)


def check(application: Application) -> Iterator[Finding]:
    """Endpoints with private DNS, and zones or rules for execute-api names."""
    public = [declared.name for declared in apis(application) if not declared.api.private]
    severity = Severity.WARNING if public else None
    hides = f": {shown(public)} cannot be called from there" if public else ""
    for declared in application.endpoints:
        if declared.private_dns:
            says = f"every execute-api name leads here in its VPC{hides}"
            yield RULE.finds(declared.name, says, declared.source, severity)
    for kind, key in (
        ("AWS::Route53::HostedZone", "Name"),
        ("AWS::Route53Resolver::ResolverRule", "DomainName"),
    ):
        for name, properties in of_type(application, kind):
            if str(properties.get(key)).startswith("execute-api."):
                says = f"it answers for every execute-api name{hides}"
                yield RULE.finds(name, says, source_of(application, name), severity)
