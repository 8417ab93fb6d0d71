"""The rules by which packets find their way in AWS's networks, each with how it is known."""

from __future__ import annotations

from backstairs.access import Known, Rule

_VPC = "https://docs.aws.amazon.com/vpc/latest/userguide/"
_PEERING = "https://docs.aws.amazon.com/vpc/latest/peering/"
_PRIVATELINK = "https://docs.aws.amazon.com/vpc/latest/privatelink/"
_APIGW = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
_ROUTE53 = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/"

OUTSIDE_A_VPC = Rule(
    "outside-a-vpc",
    "A function that is attached to no VPC reaches public addresses only.",
    Known.AWS_DOCUMENT,
    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html",
)
OUTSIDE_THE_TEMPLATE = Rule(
    "outside-the-template",
    "What a template refers to by an id stands elsewhere; how it is made is not known.",
    Known.UNVERIFIED,
    "",
)
ENDPOINT_SUBNETS = Rule(
    "endpoint-subnets",
    "An interface endpoint has a network interface with a private address in each of its subnets.",
    Known.AWS_DOCUMENT,
    _PRIVATELINK + "create-interface-endpoint.html",
)
ENDPOINT_NAMES = Rule(
    "endpoint-names",
    "An endpoint's own names can be resolved from any network, to its private addresses.",
    Known.AWS_DOCUMENT,
    "https://repost.aws/knowledge-center/vpc-interface-configure-dns",
)
API_ALIAS = Rule(
    "api-alias",
    "For each endpoint that an API names, Route 53 has an alias API-ENDPOINT.execute-api.REGION.",
    Known.AWS_DOCUMENT,
    _APIGW + "apigateway-private-api-test-invoke-url.html",
)
PRIVATE_DNS = Rule(
    "private-dns",
    "With private DNS, the VPC of an endpoint resolves API Gateway's names to it; the VPC needs "
    "DNS support and DNS hostnames.",
    Known.AWS_DOCUMENT,
    _PRIVATELINK + "create-interface-endpoint.html",
)
AMAZON_DNS = Rule(
    "amazon-dns",
    "Without DNS support a VPC has no DNS server of Amazon's; DHCP options may name others.",
    Known.AWS_DOCUMENT,
    _VPC + "vpc-dns.html",
)
FORWARDING = Rule(
    "forwarding",
    "A Resolver rule sends a VPC's questions for a domain by an outbound endpoint to the addresses "
    "it names, such as those of an inbound endpoint in the VPC that knows the answer; the rule "
    "with the longest domain counts.",
    Known.AWS_DOCUMENT,
    _ROUTE53 + "resolver-overview-DSN-queries-to-vpc.html",
)
PRIVATE_ZONE = Rule(
    "private-zone",
    "For names in a private hosted zone its VPCs get the zone's answers and no others, unless a "
    "Resolver rule is for the same domain or a longer one.",
    Known.AWS_DOCUMENT,
    _ROUTE53 + "hosted-zone-private-considerations.html",
)
LOCAL_ROUTE = Rule(
    "local-route",
    "Every route table has routes within its VPC.",
    Known.AWS_DOCUMENT,
    _VPC + "VPC_Route_Tables.html",
)
LONGEST_PREFIX = Rule(
    "longest-prefix",
    "Of the routes that match an address the most specific one counts; a subnet without a table of "
    "its own has the VPC's main one.",
    Known.AWS_DOCUMENT,
    _VPC + "VPC_Route_Tables.html",
)
PEERING_ROUTES = Rule(
    "peering-routes",
    "Peered VPCs reach each other where the tables of both have a route to the other by the "
    "connection. Peering leads no further.",
    Known.AWS_DOCUMENT,
    _PEERING + "vpc-peering-routing.html",
)
NETWORK_ACL = Rule(
    "network-acl",
    "Between subnets the network ACLs of both must let a packet and its answer pass, entry by "
    "entry in the order of their numbers. A VPC's default ACL stops nothing.",
    Known.AWS_DOCUMENT,
    _VPC + "vpc-network-acls.html",
)
SECURITY_GROUPS = Rule(
    "security-groups",
    "A connection needs a rule that lets it out of the client's groups and one that lets it into "
    "the other side's; answers pass.",
    Known.AWS_DOCUMENT,
    _VPC + "vpc-security-groups.html",
)
DEFAULT_EGRESS = Rule(
    "default-egress",
    "A security group without a rule for what it lets out gets one that lets everything out.",
    Known.AWS_DOCUMENT,
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
    "aws-resource-ec2-securitygroup.html",
)
EGRESS_APART = Rule(
    "egress-apart",
    "An AWS::EC2::SecurityGroupEgress takes away the rule that lets everything out.",
    Known.PUBLIC_REPORT,
    "https://github.com/aws/aws-cdk/issues/22140",
)
DEFAULT_GROUP = Rule(
    "default-group",
    "A VPC's default security group lets in its own members and lets everything out.",
    Known.AWS_DOCUMENT,
    _VPC + "default-security-group.html",
)
PEER_GROUPS = Rule(
    "peer-groups",
    "Rules may name security groups of a peered VPC of the same region.",
    Known.AWS_DOCUMENT,
    _PEERING + "vpc-peering-security-groups.html",
)
