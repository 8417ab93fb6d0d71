"""`DescribeVpcEndpoints` with all that an endpoint has."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import ec2

Json = dict[str, Any]

_FULL_ACCESS = {
    "Version": "2008-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}
_FILTERS = {
    "vpc-endpoint-id": "VpcEndpointId",
    "vpc-endpoint-type": "VpcEndpointType",
    "vpc-endpoint-state": "State",
    "vpc-id": "VpcId",
    "service-name": "ServiceName",
}


def describe(parameters: Json) -> object:
    wanted = ec2._parse_member_list(parameters, "VpcEndpointId")
    for endpoint_id in wanted:
        if endpoint_id not in ec2._vpc_endpoints:
            message = f"The Vpc Endpoint Id '{endpoint_id}' does not exist"
            return ec2._error("InvalidVpcEndpointId.NotFound", message, 400)
    filters = ec2._parse_filters(parameters)
    for name in filters:
        if name not in _FILTERS:
            message = f"The filter '{name}' is invalid"
            return ec2._error("InvalidParameterValue", message, 400)
    items = "".join(
        render(endpoint)
        for endpoint in ec2._vpc_endpoints.values()
        if (not wanted or endpoint["VpcEndpointId"] in wanted)
        and all(endpoint[_FILTERS[name]] in values for name, values in filters.items())
    )
    body = f"<vpcEndpointSet>{items}</vpcEndpointSet>"
    return ec2._xml(200, "DescribeVpcEndpointsResponse", body)


def render(endpoint: Json, tag: str = "item") -> str:
    """Render one endpoint as EC2's `VpcEndpoint` type."""
    policy = endpoint.get("PolicyDocument") or _FULL_ACCESS
    groups = [
        {"groupId": group, "groupName": ec2._security_groups.get(group, {}).get("GroupName", "")}
        for group in endpoint.get("SecurityGroupIds", [])
    ]
    names = [entry.split(":", 1) for entry in endpoint.get("DnsEntries", [])]
    plain = {
        "vpcEndpointId": endpoint["VpcEndpointId"],
        "vpcEndpointType": endpoint["VpcEndpointType"],
        "vpcId": endpoint["VpcId"],
        "serviceName": endpoint["ServiceName"],
        "state": endpoint["State"],
        "ownerId": endpoint["OwnerId"],
        "creationTimestamp": endpoint.get("CreationTimestamp", ""),
        "privateDnsEnabled": str(bool(endpoint.get("PrivateDnsEnabled"))).lower(),
        "policyDocument": policy if isinstance(policy, str) else json.dumps(policy),
    }
    lists = {
        "routeTableIdSet": endpoint.get("RouteTableIds", []),
        "subnetIdSet": endpoint.get("SubnetIds", []),
        "networkInterfaceIdSet": endpoint.get("NetworkInterfaceIds", []),
        "groupSet": groups,
        "dnsEntrySet": [{"dnsName": name, "hostedZoneId": zone} for zone, name in names],
    }
    content = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in plain.items())
    content += "".join(f"<{name}>{_items(values)}</{name}>" for name, values in lists.items())
    return f"<{tag}>{content}{ec2._tag_set_xml(endpoint['VpcEndpointId'])}</{tag}>"


def _items(values: list[Any]) -> str:
    return "".join(
        f"<item>{''.join(f'<{k}>{escape(v)}</{k}>' for k, v in value.items())}</item>"
        if isinstance(value, dict)
        else f"<item>{escape(value)}</item>"
        for value in values
    )
