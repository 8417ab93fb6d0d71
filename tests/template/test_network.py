"""The network: no way in or out but the two endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.template.conftest import ENDPOINTS, PLACEMENTS, ROOT, deployed

if TYPE_CHECKING:
    from collections.abc import Callable

OUTPUTS = {
    "VpcId",
    "SubnetIds",
    "PrivateRouteTableId",
    "ClientSecurityGroupId",
    "EndpointSecurityGroupId",
    "ExecuteApiEndpointId",
    "ExecuteApiEndpointDnsName",
}


@pytest.fixture(scope="module")
def network(network_with: Callable[..., Any]) -> Any:
    """The network as it is by default."""
    return network_with()


def test_nothing_leads_to_the_internet(network: Any) -> None:
    """No gateway, no route of our own, no public addresses."""
    assert not network.of_type("AWS::EC2::InternetGateway")
    assert not network.of_type("AWS::EC2::NatGateway")
    assert not network.of_type("AWS::EC2::Route")
    for subnet in network.of_type("AWS::EC2::Subnet").values():
        assert not subnet.get("MapPublicIpOnLaunch", False)


def test_dns_works_as_endpoints_need_it(network: Any) -> None:
    """Both switches of the VPC are on; private DNS of the endpoint is off unless asked for."""
    vpc = network.properties("Vpc")
    assert vpc["EnableDnsSupport"] is vpc["EnableDnsHostnames"] is True
    assert network.properties("ExecuteApiEndpoint")["PrivateDnsEnabled"] == "false"


def test_private_dns_can_be_turned_on(network_with: Callable[..., Any]) -> None:
    """By its parameter."""
    endpoint = network_with(PrivateDnsEnabled="true").properties("ExecuteApiEndpoint")
    assert endpoint["PrivateDnsEnabled"] == "true"


def test_the_endpoint_leads_to_the_accounts_own_apis(network: Any) -> None:
    """Signed calls of other accounts do not pass; unsigned ones do, for the reference API."""
    (statement,) = network.properties("ExecuteApiEndpoint")["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "arn:aws:execute-api:us-east-1:123456789012:*",
        "Condition": {"StringEqualsIfExists": {"aws:PrincipalAccount": "123456789012"}},
    }


def test_the_gateway_endpoint_leads_to_the_accounts_own_tables(network: Any) -> None:
    """Data only, and for the account's own principals."""
    endpoint = network.properties("DynamoDBEndpoint")
    (statement,) = endpoint["PolicyDocument"]["Statement"]
    assert statement["Resource"] == "arn:aws:dynamodb:us-east-1:123456789012:table/*"
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}
    assert not any("*" in action or "Table" in action for action in statement["Action"])
    assert endpoint["RouteTableIds"] == ["PrivateRouteTable"]


def test_both_subnets_use_the_private_route_table(network: Any) -> None:
    """In two zones."""
    associations = network.of_type("AWS::EC2::SubnetRouteTableAssociation").values()
    assert {association["SubnetId"] for association in associations} == {"SubnetA", "SubnetB"}
    assert {association["RouteTableId"] for association in associations} == {"PrivateRouteTable"}


def test_only_clients_reach_the_endpoint_and_only_on_443(network: Any) -> None:
    """The one rule that lets anything in anywhere."""
    (ingress,) = network.of_type("AWS::EC2::SecurityGroupIngress").values()
    assert ingress["GroupId"] == "EndpointSecurityGroup"
    assert ingress["SourceSecurityGroupId"] == "ClientSecurityGroup"
    assert (ingress["IpProtocol"], ingress["FromPort"], ingress["ToPort"]) == ("tcp", 443, 443)
    for group in network.of_type("AWS::EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in group


def test_the_clients_egress_can_be_narrowed_to_dynamodb(network_with: Callable[..., Any]) -> None:
    """By the prefix list's id, which CloudFormation cannot find out."""
    rules = {}
    for prefix_list in ("", "pl-02cd2c6b"):
        stack = network_with(DynamoDBPrefixListId=prefix_list)
        (rule,) = stack.properties("ClientSecurityGroup")["SecurityGroupEgress"]
        assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
        rules[prefix_list] = rule.get("CidrIp"), rule.get("DestinationPrefixListId")
    assert rules == {"": ("0.0.0.0/0", None), "pl-02cd2c6b": (None, "pl-02cd2c6b")}


@pytest.mark.parametrize(
    ("region", "service"),
    [
        ("eu-west-1", "com.amazonaws.eu-west-1.execute-api"),
        ("cn-north-1", "cn.com.amazonaws.cn-north-1.execute-api"),
    ],
)
def test_the_endpoints_are_named_as_their_partition_names_them(region: str, service: str) -> None:
    """Interface endpoints of China have a name of their own, its gateway endpoints have not."""
    network = deployed(
        ROOT / "stacks" / "network.yaml", {}, {}, lambda *_: ["Z1:endpoint"], region=region
    )
    assert network.properties("ExecuteApiEndpoint")["ServiceName"] == service
    gateway = network.properties("DynamoDBEndpoint")["ServiceName"]
    assert gateway == f"com.amazonaws.{region}.dynamodb"


def test_the_zones_can_be_named(network_with: Callable[..., Any]) -> None:
    """One for each subnet; without names the region's first two."""
    stack = network_with(AvailabilityZones="us-east-1c,us-east-1d")
    zones = [stack.properties(f"Subnet{name}")["AvailabilityZone"] for name in "AB"]
    assert zones == ["us-east-1c", "us-east-1d"]
    first = network_with().template["Resources"]["SubnetA"]["Properties"]["AvailabilityZone"]
    assert first["Fn::If"][2] == {"Fn::Select": [0, {"Fn::GetAZs": ""}]}


def test_a_network_that_is_there_is_handed_on(network_with: Callable[..., Any]) -> None:
    """Nothing is made, and what only a made network has is no output."""
    for placement in ("imported", "own"):
        stack = network_with(**PLACEMENTS[placement])
        assert stack.resources == {}
        outputs = {name: output["Value"] for name, output in stack.outputs.items()}
        groups = {"imported": "sg-0c", "own": "sg-0c,sg-0d"}
        assert outputs == {
            "SubnetIds": "subnet-0a,subnet-0b",
            "ClientSecurityGroupId": groups[placement],
            "ExecuteApiEndpointId": ENDPOINTS[placement],
            "ExecuteApiEndpointDnsName": f"{ENDPOINTS[placement]}.example",
        }


def test_everything_another_stack_needs_is_exported(network: Any) -> None:
    """Under the stack's own name, described."""
    assert network.outputs.keys() == OUTPUTS
    for name, output in network.outputs.items():
        assert output["Export"]["Name"] == f"stack-{name}"
        assert output["Description"]
    assert (
        network.outputs["ExecuteApiEndpointDnsName"]["Value"] == f"{ENDPOINTS['created']}.example"
    )
