"""Who reaches which endpoint by packets, and what stops them first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backstairs.report.network import rules
from backstairs.report.reach import Reach, Reachability, reach
from backstairs.template.application import read_application
from tests.template.reading import line, read

ROOT = Path(__file__).parents[2]
YES, NO, UNKNOWN = Reachability.REACHABLE, Reachability.NOT_REACHABLE, Reachability.UNKNOWN

# An endpoint in two subnets, a host beside it, and a function in another VPC that is peered.
TEMPLATE = """
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16, EnableDnsSupport: true, EnableDnsHostnames: true}
  SubnetA:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}
  SubnetB:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}
  Table:
    Type: AWS::EC2::RouteTable
    Properties: {VpcId: !Ref Vpc}
  TableOfA:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref SubnetA, RouteTableId: !Ref Table}
  TableOfB:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref SubnetB, RouteTableId: !Ref Table}
  RouteBack:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref Table
      DestinationCidrBlock: 10.1.0.0/16
      VpcPeeringConnectionId: !Ref Peering
  EndpointGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: endpoint
      VpcId: !Ref Vpc
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, SourceSecurityGroupId: !Ref ClientGroup}
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.1.0.0/16}
  ClientGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: clients
      VpcId: !Ref Vpc
      SecurityGroupEgress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/16}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcEndpointType: Interface
      VpcId: !Ref Vpc
      ServiceName: !Sub com.amazonaws.${AWS::Region}.execute-api
      SubnetIds: [!Ref SubnetA, !Ref SubnetB]
      SecurityGroupIds: [!Ref EndpointGroup]
      PrivateDnsEnabled: true
  Host:
    Type: AWS::EC2::Instance
    Properties: {SubnetId: !Ref SubnetA, SecurityGroupIds: [!Ref ClientGroup]}
  Consumer:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.1.0.0/16}
  ConsumerSubnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Consumer, CidrBlock: 10.1.0.0/24}
  ConsumerTable:
    Type: AWS::EC2::RouteTable
    Properties: {VpcId: !Ref Consumer}
  TableOfConsumer:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref ConsumerSubnet, RouteTableId: !Ref ConsumerTable}
  RouteThere:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref ConsumerTable
      DestinationCidrBlock: 10.0.0.0/16
      VpcPeeringConnectionId: !Ref Peering
  Peering:
    Type: AWS::EC2::VPCPeeringConnection
    Properties: {VpcId: !Ref Consumer, PeerVpcId: !Ref Vpc}
  ConsumerGroup:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: consumer, VpcId: !Ref Consumer}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Role: !Sub arn:aws:iam::${AWS::AccountId}:role/consumer
      Code: {ZipFile: "-"}
      VpcConfig: {SubnetIds: [!Ref ConsumerSubnet], SecurityGroupIds: [!Ref ConsumerGroup]}
"""


def by_client(text: str) -> dict[str, Reach]:
    """The clients of a template's only endpoint."""
    return {one.client.name: one for one in reach(read(text))}


def changed(old: str, new: str, text: str = TEMPLATE) -> str:
    """The template with one thing otherwise."""
    assert text.count(old) == 1, text.count(old)
    return text.replace(old, new)


def without(name: str, text: str = TEMPLATE) -> str:
    """The template without a resource."""
    head, found, rest = text.partition(f"  {name}:\n")
    assert found
    lines = rest.splitlines(keepends=True)
    kept = next(
        (number for number, one in enumerate(lines) if one.startswith("  ") and one[2] != " "),
        len(lines),
    )
    return head + "".join(lines[kept:])


def test_everybody_who_should_reaches_the_endpoint() -> None:
    """The host beside it, the function in the peered VPC, and that VPC as a whole."""
    found = by_client(TEMPLATE)
    assert {name: one.verdict for name, one in found.items()} == {
        "Host": YES,
        "Function": YES,
        "anything in Consumer": YES,
    }
    host, function = found["Host"], found["Function"]
    assert (host.client.kind, function.client.kind) == ("host", "function")
    assert [reason.rule for reason in host.reasons] == [
        rules.ENDPOINT_NAMES,
        rules.LOCAL_ROUTE,
        rules.SECURITY_GROUPS,
        rules.SECURITY_GROUPS,
    ]
    assert [(reason.rule, line(TEMPLATE, reason.source)) for reason in function.reasons] == [
        (rules.ENDPOINT_NAMES, "Endpoint:"),
        (rules.PEERING_ROUTES, "RouteThere:"),
        (rules.DEFAULT_EGRESS, "ConsumerGroup:"),
        (
            rules.SECURITY_GROUPS,
            "- {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.1.0.0/16}",
        ),
        (rules.PEERING_ROUTES, "RouteBack:"),
    ]
    assert host.stop is None


PEER_RULE = "        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.1.0.0/16}\n"
HOST_EGRESS = "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/16}"
GROUP_RULE = (
    "        - {IpProtocol: tcp, FromPort: 443, ToPort: 443,"
    " SourceSecurityGroupId: !Ref ClientGroup}\n"
)
STOPPED = {
    "the client's table has no route": (
        without("RouteThere"),
        "Function",
        "ConsumerTable has no route from ConsumerSubnet to SubnetA (10.0.0.0/24)",
        "ConsumerTable:",
    ),
    "the client's subnet has the main table": (
        without("TableOfConsumer"),
        "Function",
        "ConsumerSubnet has the main route table of Consumer, which leads nowhere else",
        "ConsumerSubnet:",
    ),
    "the route is for other addresses": (
        changed("DestinationCidrBlock: 10.0.0.0/16", "DestinationCidrBlock: 10.9.0.0/16"),
        "Function",
        "ConsumerTable has no route from ConsumerSubnet to SubnetA (10.0.0.0/24)",
        "ConsumerTable:",
    ),
    "a more specific route leads to the internet": (
        changed(
            "  Peering:\n",
            """  Internet: {Type: AWS::EC2::InternetGateway}
  Astray:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref ConsumerTable
      DestinationCidrBlock: 10.0.0.0/20
      GatewayId: !Ref Internet
  Peering:
""",
        ),
        "Function",
        "Astray leads to the internet, where no private address is",
        "Astray:",
    ),
    "the peering joins other VPCs": (
        changed("PeerVpcId: !Ref Vpc", "PeerVpcId: vpc-other"),
        "Function",
        "RouteThere leads by Peering, which does not join Consumer and Vpc",
        "RouteThere:",
    ),
    "nothing leads back": (
        without("RouteBack"),
        "Function",
        "Table has no route from SubnetA to ConsumerSubnet (10.1.0.0/24)",
        "Table:",
    ),
    "the client's group lets nothing of it out": (
        changed(HOST_EGRESS, "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.8.0.0/16}"),
        "Host",
        "no rule of ClientGroup lets it out to Endpoint on tcp 443",
        "ClientGroup:",
    ),
    "the client's group lets out another port": (
        changed(HOST_EGRESS, "{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 10.0.0.0/16}"),
        "Host",
        "no rule of ClientGroup lets it out to Endpoint on tcp 443",
        "ClientGroup:",
    ),
    "the client's group lets out another protocol": (
        changed(HOST_EGRESS, "{IpProtocol: udp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}"),
        "Host",
        "no rule of ClientGroup lets it out to Endpoint on tcp 443",
        "ClientGroup:",
    ),
    "the endpoint's group does not let the VPC in": (
        changed(PEER_RULE, ""),
        "Function",
        "no rule of EndpointGroup lets it into Endpoint on tcp 443",
        "EndpointGroup:",
    ),
    "the endpoint's group does not let the group in": (
        changed(GROUP_RULE, ""),
        "Host",
        "no rule of EndpointGroup lets it into Endpoint on tcp 443",
        "EndpointGroup:",
    ),
    "the client is in no VPC": (
        changed(
            "      VpcConfig: {SubnetIds: [!Ref ConsumerSubnet],"
            " SecurityGroupIds: [!Ref ConsumerGroup]}\n",
            "",
        ),
        "Function",
        "it runs in no VPC, from where only public addresses are reached",
        "Function:",
    ),
    "the endpoint is in no subnet": (
        changed("      SubnetIds: [!Ref SubnetA, !Ref SubnetB]\n", ""),
        "Host",
        "Endpoint is in no subnet, so it has no address",
        "Endpoint:",
    ),
    "the VPC has no DNS": (
        changed("EnableDnsSupport: true", "EnableDnsSupport: false"),
        "Host",
        "its own names: DNS support of Vpc is off",
        "Vpc:",
    ),
}


@pytest.mark.parametrize(("text", "client", "why", "where"), STOPPED.values(), ids=STOPPED)
def test_what_stops_a_client_first_is_named_with_its_line(
    text: str, client: str, why: str, where: str
) -> None:
    """In words, at the resource that would have to be another."""
    found = by_client(text)[client]
    assert found.verdict is NO
    assert found.stop is not None
    assert (found.stop.text, line(text, found.stop.source)) == (why, where)


@pytest.mark.parametrize("name", re.findall(r"^  (\w+):$", TEMPLATE, re.MULTILINE))
@pytest.mark.parametrize("case", ["nothing leads back", "the client's table has no route"])
def test_taking_something_away_opens_no_way(case: str, name: str) -> None:
    """What was stopped is stopped still, or not known: no part of a network but opens."""
    text, client, _, _ = STOPPED[case]
    if f"  {name}:\n" in text:
        text = without(name, text)
    assert {one.verdict for one in by_client(text).values() if one.client.name == client} <= {
        NO,
        UNKNOWN,
    }


UNKNOWNS = {
    "a route may lead elsewhere": (
        changed("DestinationCidrBlock: 10.0.0.0/16", "DestinationCidrBlock: !ImportValue range"),
        "Function",
        "whether RouteThere leads to SubnetA is not known",
    ),
    "a route leads to a transit gateway": (
        changed(
            "      DestinationCidrBlock: 10.0.0.0/16\n      VpcPeeringConnectionId: !Ref Peering\n",
            "      DestinationCidrBlock: 10.0.0.0/8\n      TransitGatewayId: tgw-1\n",
        ),
        "Function",
        "RouteThere leads to transit gateway tgw-1, which is not modelled",
    ),
    "the peering is not in the template": (
        changed(
            "      DestinationCidrBlock: 10.0.0.0/16\n      VpcPeeringConnectionId: !Ref Peering\n",
            "      DestinationCidrBlock: 10.0.0.0/16\n      VpcPeeringConnectionId: pcx-1\n",
        ),
        "Function",
        "pcx-1, to which RouteThere leads, is not in the template",
    ),
    "another account has to accept the peering": (
        changed("PeerVpcId: !Ref Vpc", "PeerVpcId: !Ref Vpc, PeerOwnerId: '210987654321'"),
        "Function",
        "whether Peering joins the two VPCs is not known: 210987654321 has to accept it",
    ),
    "a route may be put to the client's table": (
        changed(
            "      RouteTableId: !Ref ConsumerTable\n      DestinationCidrBlock: 10.0.0.0/16\n",
            "      RouteTableId: !ImportValue table\n      DestinationCidrBlock: 10.0.0.0/16\n",
        ),
        "Function",
        "whether RouteThere leads to SubnetA is not known",
    ),
    "a table may be the client's subnet's": (
        changed("SubnetId: !Ref ConsumerSubnet, RouteT", "SubnetId: !ImportValue s, RouteT"),
        "Function",
        (
            "<ConsumerTable of <import of s>>, the route table of ConsumerSubnet, "
            "is not in the template"
        ),
    ),
    "the peering may join the two VPCs": (
        changed("PeerVpcId: !Ref Vpc", "PeerVpcId: !ImportValue vpc"),
        "Function",
        "whether Peering joins the two VPCs is not known: <import of vpc>",
    ),
    "a rule may be put to the endpoint's group": (
        changed(GROUP_RULE, "")
        + """
  Rule:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !ImportValue group, IpProtocol: "-1", CidrIp: 10.0.0.0/8}
""",
        "Host",
        "Rule: whether it lets it into Endpoint on tcp 443 is not known",
    ),
    "routes are propagated": (
        TEMPLATE
        + """
  Propagation:
    Type: AWS::EC2::VPNGatewayRoutePropagation
    Properties: {RouteTableIds: [!Ref ConsumerTable], VpnGatewayId: vgw-1}
""",
        "Function",
        "a gateway adds routes to ConsumerTable, which are not known",
    ),
    "something stands between subnets of one VPC": (
        TEMPLATE
        + """
  Firewall:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref Table
      DestinationCidrBlock: 10.0.1.0/24
      VpcEndpointId: vpce-firewall
""",
        "Host",
        "Firewall takes what is for SubnetB to firewall or appliance endpoint vpce-firewall",
    ),
    "one of the endpoint's subnets alone has a route back": (
        without("TableOfB"),
        "Function",
        (
            "for some of the subnets: "
            "SubnetB has the main route table of Vpc, which leads nowhere else"
        ),
    ),
    "a rule is not known": (
        changed(HOST_EGRESS, "!ImportValue rule"),
        "Host",
        "a rule of ClientGroup: whether it lets it out to Endpoint on tcp 443 is not known",
    ),
    "a rule is about some of the addresses": (
        changed(HOST_EGRESS, "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/24}"),
        "Host",
        "for some of the subnets: no rule of ClientGroup lets it out to Endpoint on tcp 443",
    ),
    "a rule is about a prefix list from elsewhere": (
        changed(HOST_EGRESS, "{IpProtocol: '-1', DestinationPrefixListId: pl-1}"),
        "Host",
        "a rule of ClientGroup: whether it lets it out to Endpoint on tcp 443 is not known",
    ),
    "a group is not in the template": (
        changed("SecurityGroupIds: [!Ref ClientGroup]}", "SecurityGroupIds: [sg-1]}"),
        "Host",
        "sg-1, a security group of Host, is not in the template",
    ),
    "a subnet is not in the template": (
        changed(
            "{SubnetId: !Ref SubnetA, SecurityGroupIds", "{SubnetId: subnet-1, SecurityGroupIds"
        ),
        "Host",
        "subnet-1 is not in the template",
    ),
    "a host is put where the account has it by default": (
        changed("{SubnetId: !Ref SubnetA, SecurityGroupIds", "{SecurityGroupIds"),
        "Host",
        "the account's default VPC is not in the template",
    ),
    "whether the VPC has DNS is not known": (
        changed("EnableDnsSupport: true", "EnableDnsSupport: !ImportValue dns"),
        "Host",
        "its own names: DNS support of Vpc is not known",
    ),
}


@pytest.mark.parametrize(("text", "client", "why"), UNKNOWNS.values(), ids=UNKNOWNS)
def test_what_is_not_known_is_said(text: str, client: str, why: str) -> None:
    """Neither reachable nor not."""
    found = by_client(text)[client]
    assert (found.verdict, found.stop) == (UNKNOWN, None)
    assert why in [reason.text for reason in found.reasons]


def test_rules_may_cover_the_subnets_one_by_one() -> None:
    """Each of two rules lets it out to one of them."""
    one = "- {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/24}"
    other = "- {IpProtocol: '6', FromPort: 400, ToPort: 500, CidrIp: 10.0.1.0/24}"
    text = changed(f"        - {HOST_EGRESS}\n", f"        {one}\n        {other}\n")
    assert by_client(text)["Host"].verdict is YES


def test_a_client_without_a_group_has_the_default_one_of_its_vpc() -> None:
    """It lets everything out, and the endpoint has to let it in."""
    text = changed(
        "SubnetId: !Ref SubnetA, SecurityGroupIds: [!Ref ClientGroup]", "SubnetId: !Ref SubnetA"
    )
    found = by_client(text)["Host"]
    assert found.stop is not None
    assert found.stop.text == "no rule of EndpointGroup lets it into Endpoint on tcp 443"
    both = changed("      SecurityGroupIds: [!Ref EndpointGroup]\n", "", text)
    host = by_client(both)["Host"]
    assert host.verdict is YES
    assert [reason.rule for reason in host.reasons][2:] == [
        rules.DEFAULT_EGRESS,
        rules.DEFAULT_GROUP,
    ]


def test_a_rule_apart_takes_the_default_egress_away() -> None:
    """What AWS would let out is not let out then, by a public report."""
    text = f"""{TEMPLATE}
  Out:
    Type: AWS::EC2::SecurityGroupEgress
    Properties: {{GroupId: !Ref ConsumerGroup, IpProtocol: "-1", CidrIp: 10.9.0.0/16}}
"""
    stop = by_client(text)["Function"].stop
    assert stop is not None
    assert (stop.rule, line(text, stop.source)) == (rules.EGRESS_APART, "ConsumerGroup:")


def test_a_rule_may_name_the_group_of_a_peered_vpc_in_the_same_region() -> None:
    """Of another region it may not; then whether it counts is not known."""
    text = changed(
        PEER_RULE,
        PEER_RULE.replace("CidrIp: 10.1.0.0/16", "SourceSecurityGroupId: !Ref ConsumerGroup"),
    )
    found = by_client(text)
    assert found["Function"].verdict is YES
    assert found["anything in Consumer"].verdict is UNKNOWN
    abroad = changed("PeerVpcId: !Ref Vpc", "PeerVpcId: !Ref Vpc, PeerRegion: eu-west-1", text)
    assert by_client(abroad)["Function"].verdict is UNKNOWN


ACL = """
  Acl:
    Type: AWS::EC2::NetworkAcl
    Properties: {VpcId: !Ref Vpc}
  AclOfB:
    Type: AWS::EC2::SubnetNetworkAclAssociation
    Properties: {SubnetId: !Ref SubnetB, NetworkAclId: !Ref Acl}
"""


def entry(name: str, number: int, action: str, *, egress: bool, ports: str = "") -> str:
    """An entry of the network ACL."""
    return f"""
  {name}:
    Type: AWS::EC2::NetworkAclEntry
    Properties:
      NetworkAclId: !Ref Acl
      RuleNumber: {number}
      Protocol: 6
      RuleAction: {action}
      Egress: {str(egress).lower()}
      CidrBlock: 10.0.0.0/8
      PortRange: {{{ports or "From: 0, To: 65535"}}}
"""


IN, OUT = entry("In", 100, "allow", egress=False), entry("Out", 100, "allow", egress=True)


@pytest.mark.parametrize(
    ("entries", "expected", "why"),
    [
        (IN + OUT, YES, "Out of Acl lets it out of SubnetB"),
        (OUT, UNKNOWN, "for some of the subnets: no entry of Acl lets it into SubnetB"),
        (IN, UNKNOWN, "for some of the subnets: no entry of Acl lets it out of SubnetB"),
        (
            IN + OUT + entry("No", 50, "deny", egress=False, ports="From: 443, To: 443"),
            UNKNOWN,
            "for some of the subnets: No of Acl stops it into SubnetB",
        ),
        (
            IN + OUT + entry("Late", 200, "deny", egress=False),
            YES,
            "In of Acl lets it into SubnetB",
        ),
        (
            IN + entry("Part", 100, "allow", egress=True, ports="From: 1024, To: 2000"),
            UNKNOWN,
            "whether Part of Acl is about it out of SubnetB is not known",
        ),
    ],
)
def test_a_network_acl_must_let_a_call_and_its_answer_pass(
    entries: str, expected: Reachability, why: str
) -> None:
    """The host's own subnet has none: there it gets through, so of both it is not known."""
    found = by_client(TEMPLATE + ACL + entries)["Host"]
    assert found.verdict is expected
    if expected is YES:
        assert rules.NETWORK_ACL in [reason.rule for reason in found.reasons]
    else:
        assert why in [reason.text for reason in found.reasons]


def test_a_network_acl_of_all_of_the_endpoints_subnets_stops_for_certain() -> None:
    """No way is left; that it lets other things pass does not matter."""
    text = f"""{TEMPLATE}{ACL}
  AclOfA:
    Type: AWS::EC2::SubnetNetworkAclAssociation
    Properties: {{SubnetId: !Ref SubnetA, NetworkAclId: !Ref Acl}}
{OUT}"""
    stop = by_client(text)["Function"].stop
    assert stop is not None
    assert (stop.rule, stop.text) == (
        rules.NETWORK_ACL,
        "no entry of Acl lets it into SubnetA",
    )
    assert by_client(text)["Host"].verdict is UNKNOWN


def names(text: str, client: str) -> dict[str, bool | None]:
    """Whether each kind of the endpoint's names leads to it."""
    return {one.name: one.step.truth for one in by_client(text)[client].names}


def test_private_dns_answers_in_its_own_vpc_alone() -> None:
    """The endpoint's own names are for everybody."""
    assert names(TEMPLATE, "Host") == {"its own names": True, "API Gateway's names": True}
    assert names(TEMPLATE, "Function") == {"its own names": True, "API Gateway's names": False}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("PrivateDnsEnabled: true", "PrivateDnsEnabled: false", False),
        ("PrivateDnsEnabled: true", "PrivateDnsEnabled: !ImportValue dns", None),
        ("EnableDnsHostnames: true", "EnableDnsHostnames: false", False),
        ("EnableDnsHostnames: true", "EnableDnsHostnames: !ImportValue dns", None),
    ],
)
def test_private_dns_needs_to_be_on_and_its_vpc_to_have_hostnames(
    old: str, new: str, *, expected: bool | None
) -> None:
    """Without it API Gateway's names lead elsewhere."""
    assert names(changed(old, new), "Host")["API Gateway's names"] is expected


def test_an_api_that_names_the_endpoint_has_an_alias_there() -> None:
    """By its own configuration, or its definition."""
    text = f"""{TEMPLATE}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: api
      EndpointConfiguration: {{Types: [PRIVATE], VpcEndpointIds: [!Ref Endpoint]}}
"""
    assert names(text, "Function")["its alias for Api"] is True
    defined = f"""{TEMPLATE}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: api
      Body:
        openapi: 3.0.1
        paths: {{}}
        servers:
          - x-amazon-apigateway-endpoint-configuration: {{vpcEndpointIds: [!Ref Endpoint]}}
"""
    assert names(defined, "Host")["its alias for Api"] is True


RESOLVER = """
  Inbound:
    Type: AWS::Route53Resolver::ResolverEndpoint
    Properties:
      Direction: INBOUND
      SecurityGroupIds: [!Ref DnsGroup]
      IpAddresses:
        - {SubnetId: !Ref SubnetA, Ip: 10.0.0.53}
        - {SubnetId: !Ref SubnetB, Ip: 10.0.1.53}
  DnsGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: dns
      VpcId: !Ref Vpc
      SecurityGroupIngress:
        - {IpProtocol: udp, FromPort: 53, ToPort: 53, CidrIp: 10.1.0.0/16}
        - {IpProtocol: tcp, FromPort: 53, ToPort: 53, CidrIp: 10.1.0.0/16}
  Outbound:
    Type: AWS::Route53Resolver::ResolverEndpoint
    Properties:
      Direction: OUTBOUND
      SecurityGroupIds: [!Ref ConsumerGroup]
      IpAddresses: [{SubnetId: !Ref ConsumerSubnet}, {SubnetId: !Ref ConsumerSubnet}]
  Rule:
    Type: AWS::Route53Resolver::ResolverRule
    Properties:
      RuleType: FORWARD
      DomainName: execute-api.us-east-1.amazonaws.com
      ResolverEndpointId: !Ref Outbound
      TargetIps: [{Ip: 10.0.0.53, Port: 53}, {Ip: 10.0.1.53, Port: 53}]
  RuleOfConsumer:
    Type: AWS::Route53Resolver::ResolverRuleAssociation
    Properties: {ResolverRuleId: !GetAtt Rule.ResolverRuleId, VPCId: !Ref Consumer}
"""
RESOLVED = TEMPLATE + RESOLVER
FORWARDED = {
    "all of it is there": (RESOLVED, True),
    "by a shorter domain too": (
        changed(
            "DomainName: execute-api.us-east-1.amazonaws.com",
            "DomainName: amazonaws.com.",
            RESOLVED,
        ),
        True,
    ),
    "the rule is for another domain": (
        changed(
            "DomainName: execute-api.us-east-1.amazonaws.com", "DomainName: example.com", RESOLVED
        ),
        False,
    ),
    "the rule is for another VPC": (
        changed("VPCId: !Ref Consumer", "VPCId: vpc-other", RESOLVED),
        False,
    ),
    "tcp does not get to the inbound endpoint": (
        changed(
            "        - {IpProtocol: tcp, FromPort: 53, ToPort: 53, CidrIp: 10.1.0.0/16}\n",
            "",
            RESOLVED,
        ),
        False,
    ),
    "nothing leads there": (without("RouteThere", RESOLVED), False),
    "the addresses are somebody else's": (
        changed("Ip: 10.0.1.53, Port: 53", "Ip: 192.0.2.1, Port: 53", RESOLVED),
        None,
    ),
    "the rule may be for this VPC": (
        changed("VPCId: !Ref Consumer", "VPCId: !ImportValue vpc", RESOLVED),
        None,
    ),
    "a rule for a longer domain answers here": (
        RESOLVED
        + """
  Here:
    Type: AWS::Route53Resolver::ResolverRule
    Properties: {RuleType: SYSTEM, DomainName: a.execute-api.us-east-1.amazonaws.com}
  HereOfConsumer:
    Type: AWS::Route53Resolver::ResolverRuleAssociation
    Properties: {ResolverRuleId: !Ref Here, VPCId: !Ref Consumer}
""",
        True,
    ),
    "a rule for this domain answers here": (
        changed(
            "DomainName: execute-api.us-east-1.amazonaws.com", "DomainName: amazonaws.com", RESOLVED
        )
        + """
  Here:
    Type: AWS::Route53Resolver::ResolverRule
    Properties: {RuleType: SYSTEM, DomainName: execute-api.us-east-1.amazonaws.com}
  HereOfConsumer:
    Type: AWS::Route53Resolver::ResolverRuleAssociation
    Properties: {ResolverRuleId: !Ref Here, VPCId: !Ref Consumer}
""",
        False,
    ),
    "the domain is not known": (
        changed(
            "DomainName: execute-api.us-east-1.amazonaws.com",
            "DomainName: !ImportValue domain",
            RESOLVED,
        ),
        None,
    ),
}


@pytest.mark.parametrize(("text", "expected"), FORWARDED.values(), ids=FORWARDED)
def test_resolver_carries_private_dns_into_a_peered_vpc(
    text: str, *, expected: bool | None
) -> None:
    """By a rule, an outbound endpoint, the way to an inbound one, and port 53 by udp and tcp."""
    assert names(text, "Function")["API Gateway's names"] is expected


def test_a_private_zone_gives_an_endpoint_a_name_of_ones_own() -> None:
    """In the VPCs it is for."""
    text = f"""{TEMPLATE}
  Zone:
    Type: AWS::Route53::HostedZone
    Properties:
      Name: internal.example.com
      VPCs: [{{VPCId: !Ref Consumer, VPCRegion: us-east-1}}]
  Record:
    Type: AWS::Route53::RecordSet
    Properties:
      HostedZoneId: !Ref Zone
      Name: claims.internal.example.com.
      Type: CNAME
      TTL: "60"
      ResourceRecords: [!Select [1, !Split [":", !Select [0, !GetAtt Endpoint.DnsEntries]]]]
"""
    assert names(text, "Function")["claims.internal.example.com"] is True
    assert names(text, "Host")["claims.internal.example.com"] is False


def test_a_private_zone_above_api_gateways_names_hides_them() -> None:
    """It answers for all of them, and has none."""
    text = f"""{TEMPLATE}
  Zone:
    Type: AWS::Route53::HostedZone
    Properties: {{Name: amazonaws.com, VPCs: [{{VPCId: !Ref Consumer, VPCRegion: us-east-1}}]}}
"""
    stop = by_client(text)["Function"].stop
    assert stop is not None
    assert (stop.rule, line(text, stop.source)) == (rules.PRIVATE_ZONE, "Zone:")


def test_private_dns_comes_before_a_rule_for_a_shorter_domain() -> None:
    """It is a zone of its VPC; a rule for the very domain comes before it."""
    to_host = changed("VPCId: !Ref Consumer}", "VPCId: !Ref Vpc}", RESOLVED)
    domain = "DomainName: execute-api.us-east-1.amazonaws.com"
    shorter = changed(domain, "DomainName: amazonaws.com", to_host)
    for text, expected in ((shorter, rules.PRIVATE_DNS), (to_host, rules.FORWARDING)):
        (by,) = (one for one in by_client(text)["Host"].names if one.name == "API Gateway's names")
        assert (by.step.truth, by.step.reason.rule) == (True, expected)


OUTSIDE = without(
    "Consumer",
    without(
        "ConsumerSubnet",
        without(
            "ConsumerTable",
            without(
                "TableOfConsumer",
                without("RouteThere", without("ConsumerGroup", without("Function"))),
            ),
        ),
    ),
).replace("!Ref Consumer", "vpc-other")


def test_a_peered_vpc_that_is_not_in_the_template_may_reach_it_if_a_route_leads_back() -> None:
    """How it looks inside nobody knows; without a way back it does not matter."""
    found = by_client(OUTSIDE)["anything in vpc-other"]
    assert (found.client.kind, found.verdict) == ("peered VPC", UNKNOWN)
    assert found.reasons[-1].text == "vpc-other is not in the template"
    stop = by_client(without("RouteBack", OUTSIDE))["anything in vpc-other"].stop
    assert stop is not None
    assert stop.text == "no route leads from SubnetA back to vpc-other"


PLACED = {
    "SubnetIds": "subnet-0a",
    "SecurityGroupIds": "sg-0b",
    "ExecuteApiEndpointId": "vpce-0c",
    "ExecuteApiEndpointDnsName": "vpce-0c.example",
}


def test_the_projects_own_functions_reach_its_endpoint() -> None:
    """All that are in the network; the one outside does not."""
    found = {one.client.name: one for one in reach(read_application(ROOT / "template.yaml"))}
    assert {one.verdict for name, one in found.items() if not name.startswith("Operation/")} == {
        YES
    }
    assert found["Operation/PrunerFunction"].verdict is NO


def test_a_network_that_is_given_by_ids_is_outside_the_template() -> None:
    """Nobody can say what leads to what there."""
    found = reach(read_application(ROOT / "template.yaml", parameters=PLACED))
    inside = [one for one in found if one.client.vpc is not None]
    assert inside
    assert {(one.endpoint, one.verdict) for one in inside} == {("vpce-0c", UNKNOWN)}
    assert {one.reasons[0].rule for one in inside} == {rules.OUTSIDE_THE_TEMPLATE}
