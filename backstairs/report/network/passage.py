"""Whether a connection from one place in a template's networks to another can be made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backstairs.report.network import rules
from backstairs.report.network.filters import acls, egress, ingress
from backstairs.report.network.routes import way
from backstairs.report.network.step import Party, Step, Traffic, together, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.template.networks import Networks


def passage(networks: Networks, here: Party, there: Party, traffic: Traffic) -> Iterator[Step]:
    """What must hold for it, in the order in which a packet and its answer meet it."""
    for party in (here, there):
        missing = [name for name in party.subnets if name not in networks.subnets]
        if missing or not party.subnets:
            which = missing[0] if missing else f"a subnet of {party.name}"
            text = f"{which} is not in the template"
            yield unknown(rules.OUTSIDE_THE_TEMPLATE, text, party.source)
            return
    pairs = [
        (networks.subnets[one], networks.subnets[other])
        for one in here.subnets
        for other in there.subnets
    ]
    yield together([way(networks, one, other) for one, other in pairs])
    if any(subnet.acl is not None for pair in pairs for subnet in pair):
        yield together([acls(networks, one, other, traffic) for one, other in pairs])
    # Address by address: what lets it to one subnet need not let it to the other.
    yield together([egress(networks, here, one, traffic) for one in _each(there)])
    yield together([ingress(networks, one, there, traffic) for one in _each(here)])
    if any(one.vpc != other.vpc for one, other in pairs):
        yield together([way(networks, other, one) for one, other in pairs])


def _each(party: Party) -> Iterator[Party]:
    """A party once for each of its subnets."""
    return (replace(party, subnets=(name,)) for name in party.subnets)
