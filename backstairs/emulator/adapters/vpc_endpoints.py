"""Interface endpoints with network interfaces and DNS names."""

from __future__ import annotations

import ipaddress
import secrets
from typing import Any

from ministack.core.responses import get_region
from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from backstairs.emulator.adapters import vpc_endpoint_listing as listing

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]

# The zone AWS publishes endpoint names of us-east-1 in; other regions have their own.
_PUBLIC_ZONE = "Z7HUB22UULQXV"
_REPLACING = ("ServiceName", "VpcEndpointType", "VpcId")


def connect_interface_endpoints() -> None:
    """Give interface endpoints what a client needs to reach them, and show it.

    MiniStack: keeps `DnsEntries` and `NetworkInterfaceIds` empty, so that a template's
    `!Select [0, !GetAtt Endpoint.DnsEntries]` fails; `DescribeVpcEndpoints` shows neither these
    nor the policy, groups or private DNS, and ignores filters and unknown ids; a change of VPC or
    service updates in place; private DNS needs nothing of the VPC.
    AWS: one interface in each subnet; names "regional public, zonal public, private, wildcard",
    each entry `hostedZoneId:name` (`AWS::EC2::VPCEndpoint`, "Return values"); replacement (same
    page); private DNS needs DNS support and hostnames ("Access an AWS service using an interface
    VPC endpoint", PrivateLink Guide).
    """
    handlers = provisioners._RESOURCE_HANDLERS["AWS::EC2::VPCEndpoint"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def created(logical_id: str, properties: Json, stack_name: str) -> Result:
        _check_private_dns(properties)
        endpoint_id, _ = create(logical_id, properties, stack_name)
        return _connected(endpoint_id)

    def updated(endpoint_id: str, old: Json, new: Json, stack_name: str) -> Result:
        if any(old.get(name) != new.get(name) for name in _REPLACING):
            replacement = created(endpoint_id, new, stack_name)
            provisioners._delete_predecessor(deleted, endpoint_id, old)
            return replacement
        _check_private_dns(new)
        update(endpoint_id, old, new, stack_name)
        return _connected(endpoint_id)

    def deleted(endpoint_id: str, properties: Json) -> None:
        for interface in ec2._vpc_endpoints.get(endpoint_id, {}).get("NetworkInterfaceIds", []):
            ec2._network_interfaces.pop(interface, None)
        delete(endpoint_id, properties)

    handlers.update(create=created, update=updated, delete=deleted)
    ec2._vpce_fields_xml = listing.render
    ec2._ACTION_MAP["DescribeVpcEndpoints"] = listing.describe


def _check_private_dns(properties: Json) -> None:
    vpc = ec2._vpcs.get(properties.get("VpcId", ""), {})
    # DNS support is on unless switched off, hostnames are off unless switched on.
    ready = vpc.get("EnableDnsSupport", True) and vpc.get("EnableDnsHostnames", False)
    if provisioners._cfn_bool(properties.get("PrivateDnsEnabled", False)) and not ready:
        raise ValueError(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC "
            f"attributes set to true for {properties.get('VpcId')} (InvalidParameter)"
        )


def _connected(endpoint_id: str) -> Result:
    endpoint = ec2._vpc_endpoints[endpoint_id]
    endpoint["PrivateDnsEnabled"] = provisioners._cfn_bool(endpoint["PrivateDnsEnabled"])
    if endpoint["VpcEndpointType"] == "Interface":
        _place_interfaces(endpoint)
        endpoint["DnsEntries"] = _names(endpoint)
    return endpoint_id, provisioners._ec2_vpc_endpoint_attributes(endpoint)


def _place_interfaces(endpoint: Json) -> None:
    """Have exactly one interface in each of the endpoint's subnets."""
    present = {}
    for interface_id in endpoint["NetworkInterfaceIds"]:
        subnet = ec2._network_interfaces[interface_id]["SubnetId"]
        if subnet in endpoint["SubnetIds"]:
            present[subnet] = interface_id
        else:
            del ec2._network_interfaces[interface_id]
    for subnet_id in endpoint["SubnetIds"]:
        if subnet_id not in present:
            present[subnet_id] = _new_interface(endpoint, subnet_id)
    endpoint["NetworkInterfaceIds"] = [present[subnet] for subnet in endpoint["SubnetIds"]]
    groups = [
        {"GroupId": group, "GroupName": ec2._security_groups.get(group, {}).get("GroupName", "")}
        for group in endpoint["SecurityGroupIds"]
    ]
    for interface_id in endpoint["NetworkInterfaceIds"]:
        ec2._network_interfaces[interface_id]["Groups"] = groups


def _new_interface(endpoint: Json, subnet_id: str) -> str:
    subnet = ec2._subnets.get(subnet_id)
    if subnet is None:
        raise ValueError(f"The subnet ID '{subnet_id}' does not exist (InvalidSubnetId.NotFound)")
    interface_id = f"eni-{secrets.token_hex(9)[:17]}"
    taken = {
        interface["PrivateIpAddress"]
        for interface in ec2._network_interfaces.values()
        if interface["SubnetId"] == subnet_id
    }
    # AWS keeps the first four addresses of a subnet to itself.
    hosts = list(ipaddress.ip_network(subnet["CidrBlock"]).hosts())[3:]
    address = next(str(host) for host in hosts if str(host) not in taken)
    ec2._network_interfaces[interface_id] = {
        "NetworkInterfaceId": interface_id,
        "SubnetId": subnet_id,
        "VpcId": endpoint["VpcId"],
        "AvailabilityZone": subnet["AvailabilityZone"],
        "Description": f"VPC Endpoint Interface {endpoint['VpcEndpointId']}",
        "OwnerId": endpoint["OwnerId"],
        "Status": "in-use",
        "PrivateIpAddress": address,
        "InterfaceType": "vpc_endpoint",
        "SourceDestCheck": True,
        "MacAddress": ":".join(["02", *(f"{octet:02x}" for octet in secrets.token_bytes(5))]),
        "Groups": [],
        "Attachment": None,
    }
    return interface_id


def _names(endpoint: Json) -> list[str]:
    service = endpoint["ServiceName"].rsplit(".", 1)[-1]
    region = get_region()
    suffix = endpoint.setdefault("DnsSuffix", secrets.token_hex(4))
    private_zone = endpoint.setdefault("PrivateZone", f"Z{secrets.token_hex(10).upper()}")
    stem = f"{endpoint['VpcEndpointId']}-{suffix}"
    domain = f"{service}.{region}.vpce.amazonaws.com"
    zones = [ec2._subnets[subnet]["AvailabilityZone"] for subnet in endpoint["SubnetIds"]]
    names = [f"{_PUBLIC_ZONE}:{stem}.{domain}"]
    names += [f"{_PUBLIC_ZONE}:{stem}-{zone}.{domain}" for zone in zones]
    if endpoint["PrivateDnsEnabled"]:
        names.append(f"{private_zone}:{service}.{region}.amazonaws.com")
        if service == "execute-api":
            names.append(f"{private_zone}:*.{service}.{region}.amazonaws.com")
    return names
