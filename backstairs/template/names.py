"""What answers the questions of a template's networks for names: Route 53 and its Resolver.

Source: CloudFormation Template Reference, AWS::Route53Resolver and AWS::Route53; Route 53 Developer
Guide, "Resolving DNS queries between VPCs and your network".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backstairs.access import Unresolved
from backstairs.template.networks import Forwarding, ResolverEndpoint, Zone
from backstairs.template.resources import mappings, text_of, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.template.resources import Resources

_VPC, _SUBNET, _GROUP = "AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup"
_RESOLVER = "AWS::Route53Resolver::ResolverEndpoint"
_RULE, _ZONE = "AWS::Route53Resolver::ResolverRule", "AWS::Route53::HostedZone"


def read_resolvers(resources: Resources) -> dict[str, ResolverEndpoint]:
    """The endpoints of Resolver, inbound and outbound."""
    found = {}
    for name, properties in resources.of_type(_RESOLVER):
        addresses = mappings(properties.get("IpAddresses"), "Ip")
        found[name] = ResolverEndpoint(
            name=name,
            inbound={"INBOUND": True, "OUTBOUND": False}.get(str(properties.get("Direction"))),
            subnets=tuple(resources.name_or_id(_SUBNET, one.get("SubnetId")) for one in addresses),
            addresses=tuple(
                text_of(one.get("Ip"), "an address that AWS chooses") for one in addresses
            ),
            groups=resources.all_of(_GROUP, properties.get("SecurityGroupIds")),
            source=resources.source(name, ()),
        )
    return found


def read_forwardings(resources: Resources) -> Iterator[Forwarding]:
    """The rules that forward, with the VPCs they are associated with."""
    vpcs: dict[str, list[str]] = {}
    doubts: dict[str, str] = {}
    for name, properties in resources.of_type("AWS::Route53Resolver::ResolverRuleAssociation"):
        rule = resources.name_or_id(_RULE, properties.get("ResolverRuleId"))
        vpcs.setdefault(rule, []).append(resources.name_or_id(_VPC, properties.get("VPCId")))
        if name in resources.doubts:
            doubts[rule] = resources.doubts[name]
    for name, properties in resources.of_type(_RULE):
        yield _forwarding(resources, name, properties, tuple(vpcs.pop(name, ())), doubts)
    for rule, associated in vpcs.items():
        if rule not in resources.by_name:
            outside = Unresolved(f"the domain of {rule}, which is not in the template")
            source = _association(resources, rule)
            yield Forwarding(rule, outside, str(outside), (outside,), tuple(associated), source)


def _association(resources: Resources, rule: str) -> Any:
    kind = "AWS::Route53Resolver::ResolverRuleAssociation"
    return next(
        resources.source(name, ())
        for name, properties in resources.of_type(kind)
        if resources.name_or_id(_RULE, properties.get("ResolverRuleId")) == rule
    )


def _forwarding(
    resources: Resources,
    name: str,
    properties: Mapping[str, Any],
    vpcs: tuple[str, ...],
    doubts: Mapping[str, str],
) -> Forwarding:
    targets = mappings(properties.get("TargetIps"), "Ip")
    domain = text_of(properties.get("DomainName"), f"{name} has no domain")
    return Forwarding(
        name=name,
        domain=domain if isinstance(domain, Unresolved) else domain.rstrip(".").lower(),
        endpoint=resources.name_or_id(_RESOLVER, properties.get("ResolverEndpointId")),
        targets=tuple(text_of(one.get("Ip", one.get("Ipv6")), "no address") for one in targets),
        vpcs=vpcs,
        source=resources.source(name, ()),
        doubt=resources.doubts.get(name, doubts.get(name)),
        here=properties.get("RuleType") == "SYSTEM",
    )


def read_zones(resources: Resources) -> Iterator[Zone]:
    """The private hosted zones."""
    records: dict[str, list[tuple[str, str]]] = {}
    for _, properties in resources.of_type("AWS::Route53::RecordSet"):
        key = properties.get("HostedZoneId", properties.get("HostedZoneName"))
        zone = resources.named(_ZONE, key) or str(key).rstrip(".")
        records.setdefault(zone, []).extend(_targets(properties))
    for _, properties in resources.of_type("AWS::Route53::RecordSetGroup"):
        key = properties.get("HostedZoneId", properties.get("HostedZoneName"))
        zone = resources.named(_ZONE, key) or str(key).rstrip(".")
        for record in mappings(properties.get("RecordSets"), "Name"):
            records.setdefault(zone, []).extend(_targets(record))
    for name, properties in resources.of_type(_ZONE):
        vpcs = mappings(properties.get("VPCs"), "VPCId")
        domain = text_of(properties.get("Name"), f"{name} has no name")
        domain = domain if isinstance(domain, Unresolved) else domain.rstrip(".").lower()
        if vpcs:
            yield Zone(
                name=name,
                domain=domain,
                vpcs=tuple(resources.name_or_id(_VPC, one.get("VPCId")) for one in vpcs),
                records=(*records.get(name, ()), *records.get(str(domain), ())),
                source=resources.source(name, ()),
            )


def _targets(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A record's name with everything that it leads to."""
    name = str(record.get("Name")).rstrip(".").lower()
    alias = record.get("AliasTarget")
    given = [alias.get("DNSName")] if isinstance(alias, Mapping) else record.get("ResourceRecords")
    for target in texts(given):
        yield name, str(target).rstrip(".")
