"""`GetAtt` of a VPC's and a subnet's own properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import ec2
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

Result = tuple[str, dict[str, Any]]


def provide_vpc_attributes() -> None:
    """Give VPCs and subnets the attributes that templates read.

    MiniStack: knows `VpcId`, `DefaultSecurityGroup` and `DefaultNetworkAcl` of a VPC and
    `SubnetId` and `AvailabilityZone` of a subnet, and fails the stack on any other.
    AWS: also `CidrBlock` and `CidrBlockAssociations` of a VPC; `CidrBlock`, `VpcId` and
    `AvailabilityZoneId` of a subnet ("Return values" of `AWS::EC2::VPC` and `AWS::EC2::Subnet`,
    CloudFormation Template Reference).
    """
    _extend("AWS::EC2::VPC", _vpc)
    _extend("AWS::EC2::Subnet", _subnet)


def _extend(resource_type: str, attributes: Callable[[str], dict[str, Any]]) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    for operation in ("create", "update"):
        handlers[operation] = _extended(handlers[operation], attributes)


def _extended(
    handler: Callable[..., Result], attributes: Callable[[str], dict[str, Any]]
) -> Callable[..., Result]:
    def extended(*arguments: object) -> Result:
        physical_id, known = handler(*arguments)
        return physical_id, {**known, **attributes(physical_id)}

    return extended


def _vpc(vpc_id: str) -> dict[str, Any]:
    vpc = ec2._vpcs[vpc_id]
    association = vpc.setdefault("CidrBlockAssociationId", f"vpc-cidr-assoc-{vpc_id[4:]}")
    return {"CidrBlock": vpc["CidrBlock"], "CidrBlockAssociations": [association]}


def _subnet(subnet_id: str) -> dict[str, Any]:
    subnet = ec2._subnets[subnet_id]
    return {name: subnet[name] for name in ("CidrBlock", "VpcId", "AvailabilityZoneId")}
