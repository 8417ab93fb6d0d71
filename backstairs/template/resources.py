"""The resources of a template and of those nested in it, as one: intrinsics resolved, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backstairs.access import Unresolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from backstairs.access import Source

# The way to a part of a resource: ("Properties", "Policies", 0).
Path = tuple[str | int, ...]

# What stands for a resource besides what Ref gives.
_ATTRIBUTES = {
    "AWS::EC2::Instance": "InstanceId",
    "AWS::EC2::NetworkInterface": "Id",
    "AWS::EC2::PrefixList": "PrefixListId",
    "AWS::EC2::RouteTable": "RouteTableId",
    "AWS::EC2::SecurityGroup": "GroupId",
    "AWS::EC2::Subnet": "SubnetId",
    "AWS::EC2::VPC": "VpcId",
    "AWS::EC2::VPCEndpoint": "Id",
    "AWS::EC2::VPCPeeringConnection": "Id",
    "AWS::IAM::Group": "Arn",
    "AWS::IAM::ManagedPolicy": "PolicyArn",
    "AWS::IAM::Role": "Arn",
    "AWS::IAM::User": "Arn",
    "AWS::Lambda::Function": "Arn",
    "AWS::Route53::HostedZone": "Id",
    "AWS::Route53Resolver::ResolverEndpoint": "ResolverEndpointId",
    "AWS::Route53Resolver::ResolverRule": "ResolverRuleId",
}


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources that exist, those of nested templates behind their stack's name.

    `by_name` holds each as translated (`Type`, `Properties`), its intrinsics resolved; what cannot
    be resolved is `Unresolved`. `ref` and `attribute` give what Ref and GetAtt give for a name.
    `source` is the line of a part of a resource, the nearest that is known. `doubts` says why a
    resource may not exist, where that is not known. `policies` are documents of managed policies
    that the template only names, by ARN.
    """

    by_name: Mapping[str, Mapping[str, Any]]
    ref: Callable[[str], object]
    attribute: Callable[[str, str], object]
    source: Callable[[str, Path], Source]
    account: str
    region: str
    partition: str = "aws"
    doubts: Mapping[str, str] = field(default_factory=dict)
    policies: Mapping[str, object] = field(default_factory=dict)
    _names: dict[tuple[str, object], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = {}
        for name, resource in self.by_name.items():
            kind = resource["Type"]
            known = [self.ref(name)]
            known += [self.attribute(name, _ATTRIBUTES[kind])] if kind in _ATTRIBUTES else []
            names.update({(kind, value): name for value in known if isinstance(value, str)})
        object.__setattr__(self, "_names", names)

    def of_type(self, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Name and properties of every resource of one of these types."""
        for name, resource in self.by_name.items():
            if resource["Type"] in kinds:
                properties = resource.get("Properties")
                yield name, properties if isinstance(properties, dict) else {}

    def named(self, kind: str, value: object) -> str | None:
        """The name of the resource of a type that a value refers to; None if it is no such one."""
        return self._names.get((kind, value)) if isinstance(value, str) else None

    def name_or_id(self, kind: str, value: object) -> str:
        """The same, or what is written there where it is no resource of the template."""
        return self.named(kind, value) or str(value)

    def all_of(self, kind: str, values: object) -> tuple[str, ...]:
        """The names, or ids, of a list of resources of a type."""
        return tuple(self.name_or_id(kind, value) for value in texts(values))


def texts(value: object) -> list[str | Unresolved]:
    """A list of texts, of which CloudFormation also takes one alone; none for what is not there."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, Unresolved) else str(item) for item in items]


def text_of(value: object, missing: str) -> str | Unresolved:
    """One text; `Unresolved` where there is none, because `missing`, or something else."""
    if value is None:
        return Unresolved(missing)
    if isinstance(value, Unresolved):
        return value
    return str(value) if isinstance(value, str | int | float) else Unresolved(f"{value} is no text")


def mappings(value: object, otherwise: str) -> list[Mapping[str, Any]]:
    """A list of mappings; what is none of them stands in one, as what is called `otherwise`."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    return [item if isinstance(item, dict) else {otherwise: item} for item in items]


def boolean(value: object, *, default: bool) -> bool | None:
    """A boolean as templates write it; None where it is not known."""
    if value is None:
        return default
    return {"true": True, "false": False}.get(str(value).lower())
