"""What network ACLs and security groups let pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Unresolved
from backstairs.access.truth import Truth, all_of
from backstairs.report.network import rules
from backstairs.report.network.addresses import covers, listed
from backstairs.report.network.step import Party, Step, Traffic, holds, stops, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstairs.access import Rule
    from backstairs.template.networks import Acl, Allowance, Networks, SecurityGroup, Subnet

_ANSWERS = (1024, 65535)
_NUMBERS = {"6": "tcp", "17": "udp", "all": "-1"}


def acls(networks: Networks, one: Subnet, other: Subnet, traffic: Traffic) -> Step:
    """The network ACLs between two subnets, there and back; there are none within one."""
    there, back = (traffic.port, traffic.port), _ANSWERS
    ways = (
        (one, "out of", other, there),
        (other, "into", one, there),
        (other, "out of", one, back),
        (one, "into", other, back),
    )
    steps = [
        _acl(networks, subnet, way, peer, ports, traffic)
        for subnet, way, peer, ports in (ways if one.name != other.name else ())
        if subnet.acl is not None
    ]
    if not steps:
        text = f"no network ACL is between {one.name} and {other.name}"
        return holds(rules.NETWORK_ACL, text, one.source)
    truth = all_of(step.truth for step in steps)
    return next(step for step in steps if step.truth is truth)


def _acl(  # noqa: PLR0917 - the two ends of a packet, and what it is
    networks: Networks,
    subnet: Subnet,
    way: str,
    peer: Subnet,
    ports: tuple[int, int],
    traffic: Traffic,
) -> Step:
    acl = networks.acls.get(subnet.acl or "")
    if acl is None:
        text = f"{subnet.acl}, the network ACL of {subnet.name}, is not in the template"
        return unknown(rules.OUTSIDE_THE_TEMPLATE, text, subnet.source)
    entries = acl.ingress if way == "into" else acl.egress
    matches = [(_matches(entry, traffic, ports, peer), entry) for entry in entries]
    return _first(acl, matches, f"{way} {subnet.name}")


def _matches(entry: Allowance, traffic: Traffic, ports: tuple[int, int], peer: Subnet) -> Truth:
    is_peer = covers(entry.peer, peer.range)
    return all_of((_protocol(entry, traffic), _ports(entry, ports), is_peer, _exists(entry)))


def _first(acl: Acl, matches: Sequence[tuple[Truth, Allowance]], where: str) -> Step:
    """The first entry that matches decides."""
    for truth, entry in matches:
        if truth is None:
            text = f"whether {entry.name} of {acl.name} is about it {where} is not known"
            return unknown(rules.NETWORK_ACL, text, entry.source)
        if truth:
            made = holds if entry.allows else stops
            verb = "lets it" if entry.allows else "stops it"
            text = f"{entry.name} of {acl.name} {verb} {where}"
            return made(rules.NETWORK_ACL, text, entry.source)
    return stops(rules.NETWORK_ACL, f"no entry of {acl.name} lets it {where}", acl.source)


def egress(networks: Networks, here: Party, there: Party, traffic: Traffic) -> Step:
    """What lets a connection out of the client's security groups."""
    if here.groups is None:
        text = "its own security group has to let it out"
        return holds(rules.SECURITY_GROUPS, text, here.source)
    found = [networks.groups.get(name) for name in here.groups]
    matches = [
        (_passes(networks, rule, traffic, there), rule, group)
        for group in found
        if group is not None
        for rule in group.egress
    ]
    apart = any(group is not None and group.rules_apart for group in found)
    rule = rules.EGRESS_APART if apart else rules.SECURITY_GROUPS
    return _any(networks, here, matches, f"lets it out to {there.name} {traffic}", rule)


def ingress(networks: Networks, here: Party, there: Party, traffic: Traffic) -> Step:
    """What lets a connection into the security groups of the other side."""
    found = [networks.groups.get(name) for name in there.groups or ()]
    matches = [
        (_passes(networks, rule, traffic, here), rule, group)
        for group in found
        if group is not None
        for rule in group.ingress
    ]
    text = f"lets it into {there.name} {traffic}"
    return _any(networks, there, matches, text, rules.SECURITY_GROUPS)


def _any(
    networks: Networks,
    party: Party,
    matches: Sequence[tuple[Truth, Allowance, SecurityGroup]],
    what: str,
    rule: Rule,
) -> Step:
    """One rule that lets it pass is enough; else one of which it is not known; else none does."""
    for truth, allowance, group in matches:
        if truth:
            text = f"{_called(allowance, group)} {what}"
            return holds(_rule_of(allowance), text, allowance.source)
    for truth, allowance, group in matches:
        if truth is None:
            text = f"{_called(allowance, group)}: whether it {what} is not known"
            return unknown(_rule_of(allowance), text, allowance.source)
    for name in party.groups or ():
        if name not in networks.groups:
            text = f"{name}, a security group of {party.name}, is not in the template"
            return unknown(rules.OUTSIDE_THE_TEMPLATE, text, party.source)
    groups = [networks.groups[name] for name in party.groups or ()]
    source = groups[0].source if groups else party.source
    return stops(rule, f"no rule of {', '.join(party.groups or ())} {what}", source)


def _called(rule: Allowance, group: SecurityGroup) -> str:
    if rule.by_default:
        return f"the rule that AWS gives {group.name}"
    return rule.name if rule.name != group.name else f"a rule of {group.name}"


def _rule_of(rule: Allowance) -> Rule:
    if not rule.by_default:
        return rules.SECURITY_GROUPS
    return rules.DEFAULT_GROUP if rule.of_group else rules.DEFAULT_EGRESS


def _passes(networks: Networks, rule: Allowance, traffic: Traffic, party: Party) -> Truth:
    """Whether a rule lets pass what is exchanged with the other side."""
    ports = (traffic.port, traffic.port)
    is_peer = _is_peer(networks, rule, party)
    return all_of((_protocol(rule, traffic), _ports(rule, ports), is_peer, _exists(rule)))


def _is_peer(networks: Networks, rule: Allowance, party: Party) -> Truth:
    """Whether a rule is about the other side, whichever of its addresses it uses."""
    if not rule.of_group:
        ranges = [networks.subnets[name].range for name in party.subnets]
        return all_of(listed(networks, rule.peer, one) for one in ranges)
    if party.groups is None:
        return None
    if rule.peer in party.groups:
        return _nameable(networks, str(rule.peer), party)
    known = all(name in networks.groups for name in (rule.peer, *party.groups))
    return False if known else None


def _nameable(networks: Networks, group: str, party: Party) -> Truth:
    """Rules do not know groups of a VPC in another region."""
    vpcs = {networks.subnets[name].vpc for name in party.subnets}
    abroad = {vpc for one in networks.peerings if one.abroad for vpc in one.vpcs}
    return None if group in networks.groups and vpcs & abroad else True


def _protocol(rule: Allowance, traffic: Traffic) -> Truth:
    if isinstance(rule.protocol, Unresolved):
        return None
    return _NUMBERS.get(rule.protocol, rule.protocol) in ("-1", traffic.protocol)


def _ports(rule: Allowance, ports: tuple[int, int]) -> Truth:
    """Whether a rule is about all of some ports; None where it is about a part of them."""
    if rule.ports is None:
        return True
    if isinstance(rule.ports, Unresolved):
        return None
    (first, last), (lowest, highest) = rule.ports, ports
    if first <= lowest and highest <= last:
        return True
    return False if last < lowest or highest < first else None


def _exists(rule: Allowance) -> Truth:
    return None if rule.doubt else True
