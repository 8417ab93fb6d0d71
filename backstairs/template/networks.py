"""The networks of a template: VPCs, subnets, routes, security groups, peering, names.

What refers to a resource of the template has its name; what refers to anything else the id that is
written there, and `<why>` where that is not known. A `doubt` says why something may not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access import Source, Unresolved


def is_unresolved(name: str) -> bool:
    """Whether it is not known what a name or id refers to: it may be anything of the template."""
    return name.startswith("<")


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC. `own_dns` is where its DNS servers are not (only) Amazon's."""

    name: str
    ranges: tuple[str | Unresolved, ...]
    dns_support: bool | None
    dns_hostnames: bool | None
    source: Source
    own_dns: Source | None = None


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet. `table` None: the VPC's main route table; `acl` None: an ACL that stops nothing."""

    name: str
    vpc: str
    range: str | Unresolved
    source: Source
    table: str | None = None
    acl: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """An entry of a route table. `destination` is a range or a prefix list.

    `via` is what kind of thing it leads to (`VPC peering connection`), `target` which.
    """

    name: str
    destination: str | Unresolved
    via: str
    target: str
    source: Source
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table without its local routes. `propagated`: a gateway adds routes to it."""

    name: str
    vpc: str
    routes: tuple[Route, ...]
    source: Source
    propagated: Source | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """A rule of a security group, or an entry of a network ACL.

    `protocol` is a name or number, `-1` for all of them; `ports` None: all. `peer` is a range, a
    prefix list, or the name of a security group if `of_group`. `by_default`: AWS adds it.
    `number` and `allows` are an ACL's.
    """

    name: str
    protocol: str | Unresolved
    ports: tuple[int, int] | Unresolved | None
    peer: str | Unresolved
    source: Source
    of_group: bool = False
    by_default: bool = False
    doubt: str | None = None
    number: int = 0
    allows: bool = True


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group, with the rules that it has of itself or that are put to it.

    `default`: it is the VPC's default one. `rules_apart`: what it lets out is said by resources
    apart alone, which take AWS's rule away.
    """

    name: str
    vpc: str
    ingress: tuple[Allowance, ...]
    egress: tuple[Allowance, ...]
    source: Source
    default: bool = False
    rules_apart: bool = False


@dataclass(frozen=True, slots=True)
class Acl:
    """A network ACL, its entries by their numbers."""

    name: str
    ingress: tuple[Allowance, ...]
    egress: tuple[Allowance, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Peering:
    """A peering connection between two VPCs. `abroad`: they are in two regions."""

    name: str
    vpcs: tuple[str, str]
    source: Source
    abroad: bool = False
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class ResolverEndpoint:
    """A Route 53 Resolver endpoint; `inbound` None: its direction is not known."""

    name: str
    inbound: bool | None
    subnets: tuple[str, ...]
    addresses: tuple[str | Unresolved, ...]
    groups: tuple[str, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Forwarding:
    """A Resolver rule that sends questions for a domain elsewhere, for the VPCs it is put to.

    `here`: a rule of the type SYSTEM, by which Resolver answers itself what a rule for a shorter
    domain would send away.
    """

    name: str
    domain: str | Unresolved
    endpoint: str
    targets: tuple[str | Unresolved, ...]
    vpcs: tuple[str, ...]
    source: Source
    doubt: str | None = None
    here: bool = False


@dataclass(frozen=True, slots=True)
class Zone:
    """A private hosted zone, with what its names are aliases of or point to."""

    name: str
    domain: str | Unresolved
    vpcs: tuple[str, ...]
    records: tuple[tuple[str, str], ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Host:
    """An EC2 instance."""

    name: str
    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class NotModelled:
    """A part of a network that may lead somewhere, or stop something, and is not modelled."""

    name: str
    why: str
    source: Source


@dataclass(frozen=True, slots=True)
class Networks:
    """What the template declares of networks, by name."""

    vpcs: Mapping[str, Vpc] = field(default_factory=dict)
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    tables: Mapping[str, RouteTable] = field(default_factory=dict)
    groups: Mapping[str, SecurityGroup] = field(default_factory=dict)
    acls: Mapping[str, Acl] = field(default_factory=dict)
    prefix_lists: Mapping[str, tuple[str | Unresolved, ...]] = field(default_factory=dict)
    peerings: tuple[Peering, ...] = ()
    resolvers: Mapping[str, ResolverEndpoint] = field(default_factory=dict)
    forwardings: tuple[Forwarding, ...] = ()
    zones: tuple[Zone, ...] = ()
    hosts: tuple[Host, ...] = ()
    not_modelled: tuple[NotModelled, ...] = ()
