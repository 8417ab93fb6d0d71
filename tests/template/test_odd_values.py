"""Whatever stands in a property, the readers of principals and networks go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.access import Source, Unresolved
from backstairs.template.network_reader import read_endpoints, read_networks
from backstairs.template.principals import read_principals
from backstairs.template.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "x"}, "Action": "sts:AssumeRole"}]}
DOCUMENT = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
PORT = {"GroupId": "Group", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
RESOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "Role": (
        "IAM::Role",
        {
            "AssumeRolePolicyDocument": TRUST,
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
            "PermissionsBoundary": "Managed",
            "Policies": [{"PolicyName": "one", "PolicyDocument": DOCUMENT}],
            "Tags": [{"Key": "team", "Value": "claims"}],
            "Path": "/app/",
        },
    ),
    "Managed": ("IAM::ManagedPolicy", {"Roles": ["Role"], "PolicyDocument": DOCUMENT}),
    "RolePolicy": ("IAM::RolePolicy", {"RoleName": "Role", "PolicyDocument": DOCUMENT}),
    "User": ("IAM::User", {"Groups": ["Readers"]}),
    "Readers": ("IAM::Group", {"Policies": []}),
    "Addition": ("IAM::UserToGroupAddition", {"GroupName": "Readers", "Users": ["User"]}),
    "Vpc": ("EC2::VPC", {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": True}),
    "More": ("EC2::VPCCidrBlock", {"VpcId": "Vpc", "CidrBlock": "10.1.0.0/16"}),
    "Subnet": ("EC2::Subnet", {"VpcId": "Vpc", "CidrBlock": "10.0.0.0/24"}),
    "Table": ("EC2::RouteTable", {"VpcId": "Vpc"}),
    "OfSubnet": (
        "EC2::SubnetRouteTableAssociation",
        {"SubnetId": "Subnet", "RouteTableId": "Table"},
    ),
    "Route": (
        "EC2::Route",
        {
            "RouteTableId": "Table",
            "DestinationCidrBlock": "10.2.0.0/16",
            "VpcPeeringConnectionId": "Peering",
        },
    ),
    "Peering": ("EC2::VPCPeeringConnection", {"VpcId": "Vpc", "PeerVpcId": "vpc-1"}),
    "Propagation": ("EC2::VPNGatewayRoutePropagation", {"RouteTableIds": ["Table"]}),
    "Group": (
        "EC2::SecurityGroup",
        {
            "VpcId": "Vpc",
            "SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "10.0.0.0/8"}],
            "SecurityGroupEgress": [{"IpProtocol": "-1", "CidrIp": "10.0.0.0/8"}],
        },
    ),
    "In": ("EC2::SecurityGroupIngress", {**PORT, "SourceSecurityGroupId": "Group"}),
    "Out": ("EC2::SecurityGroupEgress", {**PORT, "DestinationPrefixListId": "List"}),
    "List": ("EC2::PrefixList", {"Entries": [{"Cidr": "10.0.0.0/8"}]}),
    "Acl": ("EC2::NetworkAcl", {"VpcId": "Vpc"}),
    "Entry": (
        "EC2::NetworkAclEntry",
        {
            "NetworkAclId": "Acl",
            "RuleNumber": 100,
            "Protocol": 6,
            "RuleAction": "allow",
            "Egress": False,
            "CidrBlock": "10.0.0.0/8",
            "PortRange": {"From": 443, "To": 443},
        },
    ),
    "Endpoint": (
        "EC2::VPCEndpoint",
        {
            "VpcEndpointType": "Interface",
            "VpcId": "Vpc",
            "ServiceName": "com.amazonaws.us-east-1.execute-api",
            "SubnetIds": ["Subnet"],
            "SecurityGroupIds": ["Group"],
            "PrivateDnsEnabled": True,
            "PolicyDocument": DOCUMENT,
        },
    ),
    "Interface": ("EC2::NetworkInterface", {"SubnetId": "Subnet", "GroupSet": ["Group"]}),
    "Host": ("EC2::Instance", {"NetworkInterfaces": [{"NetworkInterfaceId": "Interface"}]}),
    "Options": ("EC2::DHCPOptions", {"DomainNameServers": ["10.0.0.53"]}),
    "OfVpc": ("EC2::VPCDHCPOptionsAssociation", {"VpcId": "Vpc", "DhcpOptionsId": "Options"}),
    "Resolver": (
        "Route53Resolver::ResolverEndpoint",
        {"Direction": "INBOUND", "IpAddresses": [{"SubnetId": "Subnet", "Ip": "10.0.0.53"}]},
    ),
    "Rule": (
        "Route53Resolver::ResolverRule",
        {
            "RuleType": "FORWARD",
            "DomainName": "amazonaws.com",
            "ResolverEndpointId": "Resolver",
            "TargetIps": [{"Ip": "10.0.0.53"}],
        },
    ),
    "OfRule": (
        "Route53Resolver::ResolverRuleAssociation",
        {"ResolverRuleId": "Rule", "VPCId": "Vpc"},
    ),
    "Zone": ("Route53::HostedZone", {"Name": "example.com", "VPCs": [{"VPCId": "Vpc"}]}),
    "Record": (
        "Route53::RecordSet",
        {"HostedZoneId": "Zone", "Name": "a.example.com", "AliasTarget": {"DNSName": "x"}},
    ),
    "Records": ("Route53::RecordSetGroup", {"HostedZoneId": "Zone", "RecordSets": [{"Name": "b"}]}),
    "Function": ("Lambda::Function", {"Role": "Role"}),
}
UNKNOWN = Unresolved("import of something")
ODD: list[Any] = [UNKNOWN, [UNKNOWN], {"Odd": UNKNOWN}, [], {}, [[]], [{}], "text", 5, [5], None]


def ways(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything within a value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        yield (*way, key)
        if isinstance(part, dict | list):
            yield from ways(part, (*way, key))


def put(value: Any, way: tuple[Any, ...], odd: object) -> Any:
    """The same value with something odd at a place."""
    if not way:
        return odd
    changed: Any = dict(value) if isinstance(value, dict) else list(value)
    changed[way[0]] = put(changed[way[0]], way[1:], odd)
    return changed


def resources(changed: Mapping[str, Any]) -> Resources:
    """All the resources, with some of them otherwise."""
    return Resources(
        by_name={
            name: {"Type": f"AWS::{kind}", "Properties": changed.get(name, properties)}
            for name, (kind, properties) in RESOURCES.items()
        },
        ref=lambda name: name,
        attribute=lambda name, attribute: f"{name}.{attribute}",
        source=lambda _name, _path: Source("template.yaml", 1),
        account="123456789012",
        region="us-east-1",
    )


@pytest.mark.parametrize("name", RESOURCES)
def test_nothing_odd_stops_the_readers(name: str) -> None:
    """Every part of every resource is in turn what nobody expects; all else is read as before."""
    _, properties = RESOURCES[name]
    for way in ways(properties):
        for odd in ODD:
            given = resources({name: put(properties, way, odd)})
            networks, (endpoints, not_read) = read_networks(given), read_endpoints(given)
            principals, _ = read_principals(given)
            assert {"Role", "User"} <= {one.name for one in principals}
            assert (len(networks.vpcs), len(networks.subnets), len(networks.groups)) == (1, 1, 2)
            assert len(endpoints) + len(not_read) == 1 or way == ("ServiceName",)
