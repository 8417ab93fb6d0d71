"""The interface endpoints of the account, as the ways into its APIs."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING

from backstairs.access import Endpoint, Origin, parse_policy
from backstairs.account.client import pages

if TYPE_CHECKING:
    from backstairs.account.client import Account


def origins(account: Account) -> list[Origin]:
    """The execute-api interface endpoints as origins, with an address in their subnet.

    The first is `endpoint`, the others `endpoint-2` and so on.
    """
    ec2 = account.client("ec2")
    service = f"com.amazonaws.{account.region}.execute-api"
    found_origins: list[Origin] = []
    for found in pages(ec2, "describe_vpc_endpoints", "VpcEndpoints"):
        if found["ServiceName"] != service:
            continue
        endpoint_id = found["VpcEndpointId"]
        subnets = ec2.describe_subnets(SubnetIds=found["SubnetIds"])["Subnets"]
        address = ipaddress.ip_network(subnets[0]["CidrBlock"])[10]
        policy = parse_policy(
            f"{endpoint_id}'s endpoint policy",
            json.loads(found["PolicyDocument"]),
            resource_based=True,
        )
        endpoint = Endpoint(
            endpoint_id, found["VpcId"], policy, private_dns=found["PrivateDnsEnabled"]
        )
        number = f"-{len(found_origins) + 1}" if found_origins else ""
        found_origins.append(Origin(f"endpoint{number}", endpoint, str(address)))
    return found_origins


def endpoint_dns_name(account: Account, endpoint_id: str) -> str:
    """An endpoint's regional DNS name."""
    found = account.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    name: str = found["VpcEndpoints"][0]["DnsEntries"][0]["DnsName"]
    return name
