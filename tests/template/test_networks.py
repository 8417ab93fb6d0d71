"""The networks of a template and the endpoints in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from backstairs.access import Unresolved
from backstairs.template.application import read_application
from tests.template.reading import line, read

ROOT = Path(__file__).parents[2]

NETWORK = """
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: !Select [0, !Cidr [!GetAtt Vpc.CidrBlock, 2, 8]]}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: g, VpcId: !Ref Vpc}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcEndpointType: Interface
      VpcId: !Ref Vpc
      ServiceName: !Sub com.amazonaws.${AWS::Region}.execute-api
      SubnetIds: [!Ref Subnet]
      SecurityGroupIds: [!GetAtt Group.GroupId]
"""


def test_an_endpoint_has_its_place_and_its_policy() -> None:
    """By the names of what it refers to; without a policy it lets everything through."""
    application = read(NETWORK)
    (endpoint,) = application.endpoints
    assert (endpoint.name, endpoint.vpc, endpoint.subnets) == ("Endpoint", "Vpc", ("Subnet",))
    assert endpoint.security_groups == ("Group",)
    assert endpoint.private_dns is False
    assert endpoint.endpoint.policy is None
    assert endpoint.endpoint.vpc_id == "vpc-Vpc"
    assert line(NETWORK, endpoint.source) == "Endpoint:"


def test_the_projects_own_endpoint_is_read_in_its_nested_stack() -> None:
    """With the line of its policy's statement."""
    (endpoint,) = read_application(ROOT / "template.yaml").endpoints
    assert endpoint.subnets == ("Network/SubnetA", "Network/SubnetB")
    policy = endpoint.endpoint.policy
    assert policy is not None
    assert policy.name == "Network/ExecuteApiEndpoint's endpoint policy"
    (statement,) = policy.statements
    text = (ROOT / "stacks" / "network.yaml").read_text("utf-8")
    assert statement.problem is None
    assert line(text, statement.source) == "- Effect: Allow"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("VpcEndpointType: Interface", "{}", "its VpcEndpointType is Gateway"),
        (
            "!Sub com.amazonaws.${AWS::Region}.execute-api",
            "com.amazonaws.eu-west-1.execute-api",
            "it leads to another region: eu-west-1",
        ),
        (
            "!Sub com.amazonaws.${AWS::Region}.execute-api",
            "!ImportValue service",
            "which service it is an endpoint of is not known: import of service",
        ),
    ],
)
def test_an_endpoint_that_is_not_understood_is_named(old: str, new: str, why: str) -> None:
    """Of another kind or region, or of a service that is not known."""
    text = NETWORK.replace(old, "VpcEndpointType: Gateway" if new == "{}" else new)
    application = read(text)
    assert application.endpoints == ()
    assert [(one.name, one.why) for one in application.not_read] == [("Endpoint", why)]


def test_an_endpoint_of_another_service_is_none_of_these() -> None:
    """DynamoDB's is no way to an API."""
    application = read(NETWORK.replace("execute-api", "dynamodb"))
    assert (application.endpoints, application.not_read) == ((), ())


@pytest.mark.parametrize(
    ("said", "expected"), [("true", True), ("'false'", False), ("!ImportValue dns", None)]
)
def test_private_dns_is_on_off_or_not_known(said: str, *, expected: bool | None) -> None:
    """As the property says."""
    (endpoint,) = read(f"{NETWORK}      PrivateDnsEnabled: {said}\n").endpoints
    assert endpoint.private_dns is expected
    assert endpoint.endpoint.private_dns is (expected is True)


def test_an_endpoint_without_groups_has_its_vpcs_default_one() -> None:
    """As has a network interface without a group of its own."""
    text = NETWORK.replace("      SecurityGroupIds: [!GetAtt Group.GroupId]\n", "")
    application = read(text)
    (endpoint,) = application.endpoints
    (name,) = endpoint.security_groups
    group = application.networks.groups[name]
    assert (group.default, group.vpc) == (True, "Vpc")
    (own,) = group.ingress
    assert (own.peer, own.of_group, own.by_default) == (name, True, True)


def test_a_vpc_has_all_its_ranges_and_awss_defaults() -> None:
    """DNS support is on, DNS hostnames are off, unless it says otherwise."""
    text = f"""{NETWORK}
  More:
    Type: AWS::EC2::VPCCidrBlock
    Properties: {{VpcId: !Ref Vpc, CidrBlock: 10.1.0.0/16}}
"""
    networks = read(text).networks
    vpc = networks.vpcs["Vpc"]
    assert vpc.ranges == ("10.0.0.0/16", "10.1.0.0/16")
    assert (vpc.dns_support, vpc.dns_hostnames, vpc.own_dns) == (True, False, None)
    assert networks.subnets["Subnet"].range == "10.0.0.0/24"


def test_dhcp_options_with_servers_of_their_own_are_seen() -> None:
    """Amazon's own server is nothing of the kind."""
    text = f"""{NETWORK}
  Options:
    Type: AWS::EC2::DHCPOptions
    Properties: {{DomainNameServers: [SERVER]}}
  Association:
    Type: AWS::EC2::VPCDHCPOptionsAssociation
    Properties: {{VpcId: !Ref Vpc, DhcpOptionsId: !Ref Options}}
"""
    amazon = read(text.replace("SERVER", "AmazonProvidedDNS")).networks.vpcs["Vpc"]
    assert amazon.own_dns is None
    own = read(text.replace("SERVER", "10.0.0.53")).networks.vpcs["Vpc"]
    assert line(text, own.own_dns) == "Options:"


def test_a_group_has_the_rules_that_stand_in_it_and_apart() -> None:
    """By AWS's default it lets everything out; a rule of either kind takes that away."""
    text = f"""{NETWORK}
  FromGroup:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      GroupId: !Ref Group
      IpProtocol: tcp
      FromPort: 443
      ToPort: 443
      SourceSecurityGroupId: !Ref Group
"""
    group = read(text).networks.groups["Group"]
    (rule,) = group.ingress
    assert (rule.name, rule.protocol, rule.ports) == ("FromGroup", "tcp", (443, 443))
    assert (rule.peer, rule.of_group) == ("Group", True)
    assert line(text, rule.source) == "FromGroup:"
    (default,) = group.egress
    assert (default.peer, default.by_default) == ("0.0.0.0/0", True)
    apart = f"""{text}
  Out:
    Type: AWS::EC2::SecurityGroupEgress
    Properties: {{GroupId: !Ref Group, IpProtocol: "-1", CidrIp: 10.0.0.0/8}}
"""
    changed = read(apart).networks.groups["Group"]
    assert [(rule.name, rule.peer, rule.ports) for rule in changed.egress] == [
        ("Out", "10.0.0.0/8", None)
    ]
    assert changed.rules_apart


def test_rules_that_are_not_known_stay_rules() -> None:
    """They may let anything through."""
    text = NETWORK.replace(
        "{GroupDescription: g, VpcId: !Ref Vpc}",
        "{GroupDescription: g, VpcId: !Ref Vpc, SecurityGroupIngress: !ImportValue rules}",
    )
    (rule,) = read(text).networks.groups["Group"].ingress
    assert isinstance(rule.protocol, Unresolved)


def test_routes_stand_in_their_tables_with_where_they_lead() -> None:
    """By peering, to the internet, or to what is not modelled."""
    text = f"""{NETWORK}
  Internet: {{Type: AWS::EC2::InternetGateway}}
  Table:
    Type: AWS::EC2::RouteTable
    Properties: {{VpcId: !Ref Vpc}}
  ToInternet:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref Table
      DestinationCidrBlock: 0.0.0.0/0
      GatewayId: !Ref Internet
  ToTransit:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref Table
      DestinationPrefixListId: pl-1
      TransitGatewayId: tgw-1
  Association:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {{SubnetId: !Ref Subnet, RouteTableId: !Ref Table}}
"""
    networks = read(text).networks
    assert networks.subnets["Subnet"].table == "Table"
    assert [
        (route.name, route.destination, route.via, route.target)
        for route in networks.tables["Table"].routes
    ] == [
        ("ToInternet", "0.0.0.0/0", "internet gateway", "Internet"),
        ("ToTransit", "pl-1", "transit gateway", "tgw-1"),
    ]


@pytest.mark.parametrize(
    ("more", "doubt"),
    [
        ("", None),
        (", PeerOwnerId: !Ref AWS::AccountId", None),
        (", PeerOwnerId: '210987654321'", "210987654321 has to accept it"),
        (", PeerOwnerId: '210987654321', PeerRoleArn: role", None),
    ],
)
def test_a_peering_of_another_account_is_there_once_it_is_accepted(
    more: str, doubt: str | None
) -> None:
    """By its owner, or by a role of its owner's that the template names."""
    text = f"""{NETWORK}
  Peering:
    Type: AWS::EC2::VPCPeeringConnection
    Properties: {{VpcId: !Ref Vpc, PeerVpcId: vpc-other{more}}}
"""
    (peering,) = read(text).networks.peerings
    assert peering.vpcs == ("Vpc", "vpc-other")
    assert peering.doubt == doubt


def test_hosts_are_where_they_or_their_interfaces_are() -> None:
    """A subnet and groups at the instance, at an interface in it, or at one apart."""
    text = f"""{NETWORK}
  Interface:
    Type: AWS::EC2::NetworkInterface
    Properties: {{SubnetId: !Ref Subnet, GroupSet: [!Ref Group]}}
  First:
    Type: AWS::EC2::Instance
    Properties: {{SubnetId: !Ref Subnet, SecurityGroupIds: [!Ref Group]}}
  Second:
    Type: AWS::EC2::Instance
    Properties: {{NetworkInterfaces: [{{SubnetId: !Ref Subnet, GroupSet: [!Ref Group]}}]}}
  Third:
    Type: AWS::EC2::Instance
    Properties: {{NetworkInterfaces: [{{NetworkInterfaceId: !Ref Interface}}]}}
"""
    hosts = read(text).networks.hosts
    assert {one.name: (one.subnets, one.groups) for one in hosts} == dict.fromkeys(
        ("First", "Second", "Third"), (("Subnet",), ("Group",))
    )


def test_what_may_lead_somewhere_and_is_not_modelled_is_named() -> None:
    """With the reason; the matrix of access is none the worse for it."""
    text = f"""{NETWORK}
  Attachment:
    Type: AWS::EC2::TransitGatewayVpcAttachment
    Properties: {{VpcId: !Ref Vpc, SubnetIds: [!Ref Subnet], TransitGatewayId: tgw-1}}
  Service: {{Type: AWS::ECS::Service}}
"""
    application = read(text)
    assert [(one.name, one.why) for one in application.networks.not_modelled] == [
        ("Attachment", "what a transit gateway connects is not modelled"),
        ("Service", "tasks of ECS are not asked about"),
    ]
    assert application.not_read == ()
