"""A name that points to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import listed, mapping, of_type, source_of
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="domain-alias-empty",
    title="The private domain's alias has no target",
    severity=Severity.ERROR,
    why=(
        "Of a private custom domain SAM knows no target, so with HostedZoneId alone it writes an "
        "alias whose two fields are null, and the deployment fails or the name leads nowhere."
    ),
    mend="Give Route53 its VpcEndpointDomainName and VpcEndpointHostedZoneId as well.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-route53configuration.html",
)


def check(application: Application) -> Iterator[Finding]:
    """Record sets with an alias that lacks its name or its zone."""
    for name, group in of_type(application, "AWS::Route53::RecordSetGroup"):
        for record in map(mapping, listed(group.get("RecordSets"))):
            alias = record.get("AliasTarget")
            if alias is not None and None in map(mapping(alias).get, ("DNSName", "HostedZoneId")):
                says = f"the alias of {record.get('Name')} has no target"
                yield RULE.finds(name, says, source_of(application, name))
