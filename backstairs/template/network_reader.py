"""The networks of a template, and the execute-api endpoints in them.

Source: CloudFormation Template Reference, the resource types of AWS::EC2.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backstairs.access import Endpoint, Unresolved
from backstairs.template.model import DeclaredEndpoint, NotRead
from backstairs.template.names import read_forwardings, read_resolvers, read_zones
from backstairs.template.networks import (
    Host,
    Networks,
    NotModelled,
    Peering,
    Route,
    RouteTable,
    Subnet,
    Vpc,
    is_unresolved,
)
from backstairs.template.policies import policy_at
from backstairs.template.resources import boolean, mappings, text_of, texts
from backstairs.template.security_groups import (
    ACL,
    GROUP,
    VPC,
    default_group,
    read_acls,
    read_groups,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backstairs.access import Policy
    from backstairs.template.networks import Acl
    from backstairs.template.resources import Resources

_SUBNET, _TABLE, _INTERFACE = (
    f"AWS::EC2::{kind}" for kind in ("Subnet", "RouteTable", "NetworkInterface")
)
_SERVICE = re.compile(r"(?:cn\.)?com\.amazonaws\.([a-z0-9-]+)\.execute-api")
_TARGETS = {
    "VpcPeeringConnectionId": ("VPC peering connection", "AWS::EC2::VPCPeeringConnection"),
    "TransitGatewayId": ("transit gateway", "AWS::EC2::TransitGateway"),
    "GatewayId": ("gateway", "AWS::EC2::InternetGateway"),
    "NatGatewayId": ("NAT gateway", "AWS::EC2::NatGateway"),
    "EgressOnlyInternetGatewayId": (
        "egress-only internet gateway",
        "AWS::EC2::EgressOnlyInternetGateway",
    ),
    "NetworkInterfaceId": ("network interface", _INTERFACE),
    "InstanceId": ("instance", "AWS::EC2::Instance"),
    "VpcEndpointId": ("firewall or appliance endpoint", "AWS::EC2::VPCEndpoint"),
    "CoreNetworkArn": ("core network", "AWS::NetworkManager::CoreNetwork"),
    "LocalGatewayId": ("local gateway", "AWS::EC2::LocalGateway"),
    "CarrierGatewayId": ("carrier gateway", "AWS::EC2::CarrierGateway"),
}
_NOT_MODELLED = {
    "AWS::EC2::TransitGatewayAttachment": "what a transit gateway connects is not modelled",
    "AWS::EC2::TransitGatewayVpcAttachment": "what a transit gateway connects is not modelled",
    "AWS::EC2::VPNConnection": "who comes by a VPN is not modelled",
    "AWS::EC2::ClientVpnEndpoint": "who comes by a client VPN is not modelled",
    "AWS::EC2::SecurityGroupVpcAssociation": "security groups of several VPCs are not modelled",
    "AWS::AutoScaling::AutoScalingGroup": "instances of a group are not asked about",
    "AWS::ECS::Service": "tasks of ECS are not asked about",
    "AWS::EKS::Cluster": "what runs in EKS is not asked about",
    "AWS::Route53Profiles::ProfileAssociation": "profiles of Route 53 are not modelled",
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": "DNS Firewall is not modelled",
    "AWS::VpcLattice::ServiceNetworkVpcAssociation": "VPC Lattice is not modelled",
}


def read_networks(resources: Resources) -> Networks:
    """The networks; what may lead somewhere and is not modelled is named in them."""
    acls = read_acls(resources)
    return Networks(
        vpcs={vpc.name: vpc for vpc in _vpcs(resources)},
        subnets={subnet.name: subnet for subnet in _subnets(resources, acls)},
        tables={table.name: table for table in _tables(resources)},
        groups=read_groups(resources),
        acls=acls,
        prefix_lists=dict(_prefix_lists(resources)),
        peerings=tuple(_peerings(resources)),
        resolvers=read_resolvers(resources),
        forwardings=tuple(read_forwardings(resources)),
        zones=tuple(read_zones(resources)),
        hosts=tuple(_hosts(resources)),
        not_modelled=tuple(
            NotModelled(name, _NOT_MODELLED[resource["Type"]], resources.source(name, ()))
            for name, resource in resources.by_name.items()
            if resource["Type"] in _NOT_MODELLED
        ),
    )


def read_endpoints(
    resources: Resources,
) -> tuple[tuple[DeclaredEndpoint, ...], tuple[NotRead, ...]]:
    """The execute-api interface endpoints, and what of them was not read."""
    endpoints, not_read = [], []
    for name, properties in resources.of_type("AWS::EC2::VPCEndpoint"):
        service = properties.get("ServiceName")
        found = _SERVICE.fullmatch(str(service))
        region = properties.get("ServiceRegion", found[1] if found else None)
        if isinstance(service, Unresolved):
            why = f"which service it is an endpoint of is not known: {service.why}"
        elif found is None:
            continue
        elif properties.get("VpcEndpointType") != "Interface":
            why = f"its VpcEndpointType is {properties.get('VpcEndpointType', 'Gateway')}"
        elif region != resources.region or found[1] != region:
            why = f"it leads to another region: {region}"
        else:
            endpoints.append(_endpoint(resources, name, properties))
            continue
        not_read.append(NotRead(name, why, resources.source(name, ())))
    return tuple(endpoints), tuple(not_read)


def _endpoint(resources: Resources, name: str, properties: Mapping[str, Any]) -> DeclaredEndpoint:
    private_dns = boolean(properties.get("PrivateDnsEnabled"), default=False)
    vpc_id = properties.get("VpcId")
    vpc = resources.name_or_id(VPC, vpc_id)
    groups = resources.all_of(GROUP, properties.get("SecurityGroupIds"))
    return DeclaredEndpoint(
        name=name,
        endpoint=Endpoint(
            endpoint_id=str(resources.ref(name)),
            vpc_id=vpc_id if isinstance(vpc_id, str) else "",
            policy=_endpoint_policy(resources, name, properties.get("PolicyDocument")),
            private_dns=private_dns is True,
        ),
        source=resources.source(name, ()),
        vpc=vpc,
        subnets=resources.all_of(_SUBNET, properties.get("SubnetIds")),
        security_groups=groups or (default_group(resources, vpc),),
        private_dns=private_dns,
    )


def _endpoint_policy(resources: Resources, name: str, document: object) -> Policy | None:
    if document is None:
        return None
    label, path = f"{name}'s endpoint policy", ("Properties", "PolicyDocument")
    return policy_at(resources, label, name, path, document, resource_based=True)


def _vpcs(resources: Resources) -> Iterator[Vpc]:
    more: dict[str, list[str | Unresolved]] = {}
    for _, properties in resources.of_type("AWS::EC2::VPCCidrBlock"):
        vpc = resources.name_or_id(VPC, properties.get("VpcId"))
        more.setdefault(vpc, []).extend(texts(properties.get("CidrBlock")))
    own_dns = dict(_own_dns(resources))
    for name, properties in resources.of_type(VPC):
        unknown = Unresolved(f"{name} has no CidrBlock")
        yield Vpc(
            name=name,
            ranges=(*texts(properties.get("CidrBlock", unknown)), *more.get(name, ())),
            dns_support=boolean(properties.get("EnableDnsSupport"), default=True),
            dns_hostnames=boolean(properties.get("EnableDnsHostnames"), default=False),
            source=resources.source(name, ()),
            own_dns=own_dns.get(name),
        )


def _own_dns(resources: Resources) -> Iterator[tuple[str, Any]]:
    """The VPCs whose DHCP options name DNS servers that are not Amazon's."""
    kind = "AWS::EC2::DHCPOptions"
    for name, properties in resources.of_type("AWS::EC2::VPCDHCPOptionsAssociation"):
        options = resources.named(kind, properties.get("DhcpOptionsId"))
        given = (resources.by_name[options].get("Properties") or {}) if options else {}
        servers = texts(given.get("DomainNameServers")) if options else ["?"]
        if servers not in ([], ["AmazonProvidedDNS"]):
            vpc = resources.name_or_id(VPC, properties.get("VpcId"))
            yield vpc, resources.source(options or name, ())


def _subnets(resources: Resources, known: Mapping[str, Acl]) -> Iterator[Subnet]:
    tables = _associated(resources, "AWS::EC2::SubnetRouteTableAssociation", _TABLE)
    acls = _associated(resources, "AWS::EC2::SubnetNetworkAclAssociation", ACL)
    for name, properties in resources.of_type(_SUBNET):
        vpc = resources.name_or_id(VPC, properties.get("VpcId"))
        default = resources.attribute(vpc, "DefaultNetworkAcl") if vpc in resources.by_name else ""
        of_vpc = str(default) if default in known else None
        yield Subnet(
            name=name,
            vpc=vpc,
            range=text_of(properties.get("CidrBlock"), f"{name} has no CidrBlock"),
            source=resources.source(name, ()),
            table=tables.get(name, _loose(tables)),
            acl=acls.get(name, _loose(acls) or of_vpc),
        )


def _associated(resources: Resources, association: str, kind: str) -> dict[str, str]:
    """What subnets are associated with, by their names."""
    found = {}
    for name, properties in resources.of_type(association):
        of_kind = properties.get("RouteTableId", properties.get("NetworkAclId"))
        subnet = resources.name_or_id(_SUBNET, properties.get("SubnetId"))
        doubt = resources.doubts.get(name)
        found[subnet] = f"<{doubt}>" if doubt else resources.name_or_id(kind, of_kind)
    return found


def _loose(associated: Mapping[str, str]) -> str | None:
    """What is associated with a subnet of which it is not known which one it is."""
    found = (f"<{to} of {subnet}>" for subnet, to in associated.items() if is_unresolved(subnet))
    return next(found, None)


def _tables(resources: Resources) -> Iterator[RouteTable]:
    routes: dict[str, list[Route]] = {}
    loose: list[Route] = []
    for name, properties in resources.of_type("AWS::EC2::Route"):
        table = resources.name_or_id(_TABLE, properties.get("RouteTableId"))
        route = _route(resources, name, properties)
        if is_unresolved(table):
            loose.append(replace(route, doubt=f"it is put to {table}"))
        routes.setdefault(table, []).append(route)
    propagated = {
        table: resources.source(name, ())
        for name, properties in resources.of_type("AWS::EC2::VPNGatewayRoutePropagation")
        for table in resources.all_of(_TABLE, properties.get("RouteTableIds"))
    }
    for name, properties in resources.of_type(_TABLE):
        yield RouteTable(
            name=name,
            vpc=resources.name_or_id(VPC, properties.get("VpcId")),
            routes=(*routes.get(name, ()), *loose),
            source=resources.source(name, ()),
            propagated=propagated.get(name),
        )


def _route(resources: Resources, name: str, properties: Mapping[str, Any]) -> Route:
    destinations = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    given = next((properties[key] for key in destinations if key in properties), None)
    destination = text_of(given, f"{name} has no destination")
    if isinstance(destination, str):
        destination = resources.name_or_id("AWS::EC2::PrefixList", destination)
    key = next((key for key in _TARGETS if key in properties), None)
    via, kind = _TARGETS[key] if key else ("target", "")
    if key == "GatewayId" and resources.named(kind, properties[key]):
        via = "internet gateway"
    target = resources.name_or_id(kind, properties[key]) if key else f"<{name} has no target>"
    return Route(
        name, destination, via, target, resources.source(name, ()), resources.doubts.get(name)
    )


def _prefix_lists(resources: Resources) -> Iterator[tuple[str, tuple[str | Unresolved, ...]]]:
    for name, properties in resources.of_type("AWS::EC2::PrefixList"):
        entries = mappings(properties.get("Entries"), "Cidr")
        yield name, tuple(text_of(one.get("Cidr"), f"{name} has no Cidr") for one in entries)


def _peerings(resources: Resources) -> Iterator[Peering]:
    for name, properties in resources.of_type("AWS::EC2::VPCPeeringConnection"):
        ours, theirs = (
            resources.name_or_id(VPC, properties.get(key)) for key in ("VpcId", "PeerVpcId")
        )
        owner = properties.get("PeerOwnerId", resources.account)
        accepted = owner == resources.account or "PeerRoleArn" in properties
        loose = next((vpc for vpc in (ours, theirs) if is_unresolved(vpc)), None)
        doubt = None if accepted else f"{owner} has to accept it"
        region = properties.get("PeerRegion", resources.region)
        yield Peering(
            name=name,
            vpcs=(ours, theirs),
            source=resources.source(name, ()),
            abroad=region != resources.region,
            doubt=resources.doubts.get(name, loose or doubt),
        )


def _hosts(resources: Resources) -> Iterator[Host]:
    interfaces = dict(resources.of_type(_INTERFACE))
    for name, properties in resources.of_type("AWS::EC2::Instance"):
        places = [properties]
        for given in mappings(properties.get("NetworkInterfaces"), "SubnetId"):
            known = interfaces.get(
                resources.named(_INTERFACE, given.get("NetworkInterfaceId")) or "", {}
            )
            places.append({**known, **given})
        host = Host(name, (), (), resources.source(name, ()))
        for place in places:
            subnets = resources.all_of(_SUBNET, place.get("SubnetId"))
            groups = texts(place.get("SecurityGroupIds")) + texts(place.get("GroupSet"))
            host = replace(
                host,
                subnets=(*host.subnets, *subnets),
                groups=(*host.groups, *resources.all_of(GROUP, groups)),
            )
        yield host
