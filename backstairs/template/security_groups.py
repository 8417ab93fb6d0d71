"""Security groups and network ACLs of a template, with the rules that stand in them or apart.

Source: CloudFormation Template Reference, AWS::EC2::SecurityGroup and its rules,
AWS::EC2::NetworkAclEntry; Amazon VPC User Guide, "Default security groups", "Network ACL basics".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backstairs.access import Source, Unresolved
from backstairs.template.networks import Acl, Allowance, SecurityGroup, is_unresolved
from backstairs.template.resources import boolean, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.template.resources import Resources

GROUP, VPC, ACL = "AWS::EC2::SecurityGroup", "AWS::EC2::VPC", "AWS::EC2::NetworkAcl"
_ADDRESSES = ("CidrIp", "CidrIpv6")
_OTHERS = {
    "Ingress": ("SourcePrefixListId", "SourceSecurityGroupId", "SourceSecurityGroupName"),
    "Egress": ("DestinationPrefixListId", "DestinationSecurityGroupId"),
}
_PORT_PROTOCOLS = {"tcp", "udp", "6", "17"}


def read_groups(resources: Resources) -> dict[str, SecurityGroup]:
    """Every security group, and the default one of every VPC."""
    apart = {way: _apart(resources, way) for way in _OTHERS}
    groups = {}
    for name, properties in resources.of_type(GROUP):
        source = resources.source(name, ())
        ingress = [
            *_inline(resources, name, properties, "Ingress"),
            *apart["Ingress"].get(name, []),
        ]
        own = list(_inline(resources, name, properties, "Egress"))
        others = apart["Egress"].get(name, [])
        default = [] if own or _certain(others) else [_everything(name, source)]
        groups[name] = SecurityGroup(
            name=name,
            vpc=resources.name_or_id(VPC, properties.get("VpcId", "the account's default VPC")),
            ingress=tuple(ingress),
            egress=(*own, *others, *default),
            source=source,
            rules_apart=not own and _certain(others),
        )
    for name, _ in resources.of_type(VPC):
        group = default_group(resources, name)
        groups[group] = _default(resources, name, group, apart)
    return groups


def _certain(rules: list[Allowance]) -> bool:
    return any(rule.doubt is None for rule in rules)


def default_group(resources: Resources, vpc: str) -> str:
    """The id of a VPC's default security group."""
    if vpc not in resources.by_name:
        return f"the default security group of {vpc}"
    return str(resources.attribute(vpc, "DefaultSecurityGroup"))


def _default(
    resources: Resources, vpc: str, group: str, apart: Mapping[str, Mapping[str, list[Allowance]]]
) -> SecurityGroup:
    """It lets in its own members and lets everything out, and what rules apart add to that."""
    source = resources.source(vpc, ())
    own = Allowance(group, "-1", None, group, source, of_group=True, by_default=True)
    return SecurityGroup(
        name=group,
        vpc=vpc,
        ingress=(own, *apart["Ingress"].get(group, [])),
        egress=(_everything(group, source), *apart["Egress"].get(group, [])),
        source=source,
        default=True,
    )


def _everything(name: str, source: Source) -> Allowance:
    """What AWS adds to a group without a rule for what it lets out."""
    return Allowance(name, "-1", None, "0.0.0.0/0", source, by_default=True)


def _inline(
    resources: Resources, name: str, properties: Mapping[str, Any], way: str
) -> Iterator[Allowance]:
    rules = properties.get(f"SecurityGroup{way}") or []
    for number, rule in enumerate(rules if isinstance(rules, list) else [rules]):
        source = resources.source(name, ("Properties", f"SecurityGroup{way}", number))
        yield _rule(resources, name, rule, way, source)


def _apart(resources: Resources, way: str) -> dict[str, list[Allowance]]:
    """The rules that are resources of their own, by the group they are put to.

    One of which that is not known may be put to every group.
    """
    groups = [name for name, _ in resources.of_type(GROUP)]
    groups += [default_group(resources, name) for name, _ in resources.of_type(VPC)]
    found: dict[str, list[Allowance]] = {}
    for name, properties in resources.of_type(f"AWS::EC2::SecurityGroup{way}"):
        group = resources.name_or_id(GROUP, properties.get("GroupId", properties.get("GroupName")))
        rule = _rule(resources, name, properties, way, resources.source(name, ()))
        loose = is_unresolved(group)
        for one in groups if loose else (group,):
            put = replace(rule, doubt=f"put to {group}") if loose else rule
            found.setdefault(one, []).append(put)
    return found


def _rule(resources: Resources, name: str, rule: object, way: str, source: Source) -> Allowance:
    given = rule if isinstance(rule, Mapping) else {"IpProtocol": Unresolved(str(rule))}
    protocol = given.get("IpProtocol", "-1")
    kind = next((key for key in (*_ADDRESSES, *_OTHERS[way]) if key in given), None)
    peer = given[kind] if kind else Unresolved(f"{name} names no peer")
    of_group = kind is not None and "SecurityGroup" in kind
    if kind == "SourceSecurityGroupName":
        peer = Unresolved(f"the group named {peer}")
    elif of_group or str(kind).endswith("PrefixListId"):
        what = GROUP if of_group else "AWS::EC2::PrefixList"
        peer = peer if isinstance(peer, Unresolved) else resources.name_or_id(what, peer)
    return Allowance(
        name=name,
        protocol=protocol if isinstance(protocol, Unresolved) else str(protocol).lower(),
        ports=_ports(protocol, given.get("FromPort"), given.get("ToPort")),
        peer=peer if isinstance(peer, Unresolved) else str(peer),
        source=source,
        of_group=of_group,
        doubt=resources.doubts.get(name),
    )


def _ports(protocol: object, first: object, last: object) -> tuple[int, int] | Unresolved | None:
    """The ports of a rule; None for all of them."""
    if str(protocol).lower() not in _PORT_PROTOCOLS or (first is None and last is None):
        return None
    try:
        return int(str(first)), int(str(first if last is None else last))
    except ValueError:
        return Unresolved(f"ports {first} to {last}")


def read_acls(resources: Resources) -> dict[str, Acl]:
    """Every network ACL that has entries of its own or is declared."""
    entries: dict[str, dict[bool, list[Allowance]]] = {}
    for name, properties in resources.of_type("AWS::EC2::NetworkAclEntry"):
        acl = resources.name_or_id(ACL, properties.get("NetworkAclId"))
        ways = entries.setdefault(acl, {True: [], False: []})
        egress = boolean(properties.get("Egress"), default=False)
        for way in (True, False) if egress is None else (egress,):
            ways[way].append(_entry(resources, name, properties, certain=egress is not None))
    for name, _ in resources.of_type(ACL):
        entries.setdefault(name, {True: [], False: []})
    for name, _ in resources.of_type(VPC):
        acl = str(resources.attribute(name, "DefaultNetworkAcl"))
        if acl in entries:
            open_ = Allowance(acl, "-1", None, "0.0.0.0/0", resources.source(name, ()), number=100)
            for way in (True, False):
                entries[acl][way].append(open_)
    return {
        name: Acl(name, _in_order(ways[False]), _in_order(ways[True]), _source(resources, name))
        for name, ways in entries.items()
    }


def _source(resources: Resources, acl: str) -> Source:
    """Of a VPC's default ACL, that of the VPC."""
    names = [name for name, _ in resources.of_type(VPC)]
    owners = {str(resources.attribute(name, "DefaultNetworkAcl")): name for name in names}
    name = owners.get(acl, acl)
    if name in resources.by_name:
        return resources.source(name, ())
    for entry, properties in resources.of_type("AWS::EC2::NetworkAclEntry"):
        if resources.name_or_id(ACL, properties.get("NetworkAclId")) == acl:
            return resources.source(entry, ())
    raise LookupError(acl)


def _in_order(entries: list[Allowance]) -> tuple[Allowance, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.number))


def _entry(
    resources: Resources, name: str, properties: Mapping[str, Any], *, certain: bool
) -> Allowance:
    ports = properties.get("PortRange")
    given = ports if isinstance(ports, Mapping) else {}
    protocol = properties.get("Protocol", "-1")
    action, number = properties.get("RuleAction"), properties.get("RuleNumber")
    known = certain and action in ("allow", "deny") and str(number).isdecimal()
    peer = properties.get("CidrBlock", properties.get("Ipv6CidrBlock"))
    return Allowance(
        name=name,
        protocol=protocol if isinstance(protocol, Unresolved) else str(protocol).lower(),
        ports=_ports(protocol, given.get("From"), given.get("To")),
        peer=text_of(peer, f"{name} names no addresses"),
        source=resources.source(name, ()),
        doubt=resources.doubts.get(name, None if known else f"{action} {number}"),
        number=int(str(number)) if str(number).isdecimal() else 0,
        allows=action == "allow",
    )
