"""Where the routes of a subnet lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access.truth import any_of
from backstairs.report.network import rules
from backstairs.report.network.addresses import covers, length, listed
from backstairs.report.network.step import Step, holds, stops, unknown

if TYPE_CHECKING:
    from backstairs.access.truth import Truth
    from backstairs.template.networks import Networks, Route, RouteTable, Subnet

PEERING, INTERNET = "VPC peering connection", "internet gateway"


def way(networks: Networks, one: Subnet, other: Subnet) -> Step:
    """Whether what a subnet sends to another one gets there."""
    if one.vpc == other.vpc:
        return _within(networks, one, other)
    if one.table is None:
        text = f"{one.name} has the main route table of {one.vpc}, which leads nowhere else"
        return stops(rules.LONGEST_PREFIX, text, one.source)
    table = networks.tables.get(one.table)
    if table is None:
        text = f"{one.table}, the route table of {one.name}, is not in the template"
        return unknown(rules.OUTSIDE_THE_TEMPLATE, text, one.source)
    return _beyond(networks, table, one, other)


def _within(networks: Networks, one: Subnet, other: Subnet) -> Step:
    """Within a VPC, unless a route that is more specific leads elsewhere."""
    table, vpc = networks.tables.get(one.table or ""), networks.vpcs.get(one.vpc)
    for route in table.routes if table else ():
        inside = any_of(covers(outer, route.destination) for outer in (vpc.ranges if vpc else ()))
        if inside is True and _leads_to(networks, route, other) is not False:
            text = f"{route.name} takes what is for {other.name} to {route.via} {route.target}"
            return unknown(rules.LONGEST_PREFIX, text, route.source)
    text = f"subnets of {one.vpc} have routes to each other"
    return holds(rules.LOCAL_ROUTE, text, vpc.source if vpc else one.source)


def _beyond(networks: Networks, table: RouteTable, one: Subnet, other: Subnet) -> Step:
    """By the most specific route, if that is certain."""
    matching = [(_leads_to(networks, route, other), route) for route in table.routes]
    best = max((route for truth, route in matching if truth), key=_length, default=None)
    for truth, route in matching:
        if truth is None and (best is None or _length(route) >= _length(best)):
            text = f"whether {route.name} leads to {other.name} is not known"
            return unknown(rules.LONGEST_PREFIX, text, route.source)
    if table.propagated is not None:
        text = f"a gateway adds routes to {table.name}, which are not known"
        return unknown(rules.LONGEST_PREFIX, text, table.propagated)
    if best is None:
        text = f"{table.name} has no route from {one.name} to {other.name} ({other.range})"
        return stops(rules.LONGEST_PREFIX, text, table.source)
    return _by(networks, best, one, other)


def _leads_to(networks: Networks, route: Route, subnet: Subnet) -> Truth:
    found = listed(networks, route.destination, subnet.range)
    return None if route.doubt and found is not False else found


def _length(route: Route) -> int:
    return length(route.destination)


def _by(networks: Networks, route: Route, one: Subnet, other: Subnet) -> Step:
    """By one route, which is a peering connection's or leads to something else."""
    if route.via == INTERNET:
        text = f"{route.name} leads to the internet, where no private address is"
        return stops(rules.LONGEST_PREFIX, text, route.source)
    if route.via != PEERING:
        text = f"{route.name} leads to {route.via} {route.target}, which is not modelled"
        return unknown(rules.LONGEST_PREFIX, text, route.source)
    peering = next((one for one in networks.peerings if one.name == route.target), None)
    if peering is None:
        text = f"{route.target}, to which {route.name} leads, is not in the template"
        return unknown(rules.OUTSIDE_THE_TEMPLATE, text, route.source)
    if peering.doubt:
        text = f"whether {peering.name} joins the two VPCs is not known: {peering.doubt}"
        return unknown(rules.PEERING_ROUTES, text, peering.source)
    if set(peering.vpcs) != {one.vpc, other.vpc}:
        text = (
            f"{route.name} leads by {peering.name}, which does not join {one.vpc} and {other.vpc}"
        )
        return stops(rules.PEERING_ROUTES, text, route.source)
    text = f"{route.name} leads from {one.name} by {peering.name} to {other.name}"
    return holds(rules.PEERING_ROUTES, text, route.source)
