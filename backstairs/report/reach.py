"""Which clients of a template's networks reach its execute-api endpoints, and what stops them.

This is about packets alone: names, routes, network ACLs, security groups. What an API then makes of
the call is for the matrix to say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from backstairs.access import Reason
from backstairs.access.truth import all_of, any_of
from backstairs.report.network import rules
from backstairs.report.network.names import Name, endpoint_ids, names
from backstairs.report.network.passage import passage
from backstairs.report.network.routes import INTERNET
from backstairs.report.network.step import Party, Step, Traffic, stops, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.template.model import Application, DeclaredEndpoint
    from backstairs.template.networks import Networks, Route

_HTTPS = Traffic("tcp", 443)


PEERED = "peered VPC"


class Reachability(Enum):
    """The outcome. UNKNOWN: something decisive is not known, or holds for some addresses only."""

    REACHABLE = "reachable"
    NOT_REACHABLE = "not reachable"
    UNKNOWN = "unknown"


_VERDICTS = {
    True: Reachability.REACHABLE,
    False: Reachability.NOT_REACHABLE,
    None: Reachability.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Client:
    """Where calls come from: a function, a host, or anything in a peered VPC.

    `vpc` None: it is in none; otherwise its name or id.
    """

    kind: str
    party: Party
    vpc: str | None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.party.name


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a client reaches an endpoint.

    `reasons` are in the order in which a packet meets them. Where it is stopped, the last one is
    what stops it first; where that is not known, they are all that is known and what is not.
    `names` says for every name of the endpoint whether it leads there.
    """

    client: Client
    endpoint: str
    verdict: Reachability
    reasons: tuple[Reason, ...]
    names: tuple[Name, ...] = ()

    @property
    def stop(self) -> Reason | None:
        """What stops it first; None where it gets there, or where that is not known."""
        return self.reasons[-1] if self.verdict is Reachability.NOT_REACHABLE else None


def reach(application: Application) -> tuple[Reach, ...]:
    """Every client with every endpoint, those too that the template only names by an id."""
    found, outside = [], _endpoints_outside(application)
    names_from = {
        (vpc.name, one.name): tuple(names(application, vpc, one))
        for vpc in application.networks.vpcs.values()
        for one in application.endpoints
    }
    for client in _clients(application):
        for endpoint in application.endpoints:
            if client.kind != PEERED or client.vpc != endpoint.vpc:
                known = names_from.get((client.vpc or "", endpoint.name), ())
                found.append(_reach(application.networks, client, endpoint, known))
        found += [_outside(client, name) for name in outside]
    return tuple(found)


def _clients(application: Application) -> Iterator[Client]:
    networks = application.networks
    for function in application.functions:
        groups = function.security_groups
        party = Party(function.name, function.subnets, groups, function.source)
        yield Client("function", party, _vpc(networks, function.subnets))
    for host in networks.hosts:
        subnets = host.subnets or ("the account's default VPC",)
        party = Party(host.name, subnets, host.groups, host.source)
        yield Client("host", party, _vpc(networks, subnets))
    peered = {vpc: one for one in networks.peerings for vpc in one.vpcs}
    for vpc, peering in peered.items():
        subnets = tuple(one.name for one in networks.subnets.values() if one.vpc == vpc)
        party = Party(f"anything in {vpc}", subnets, None, peering.source)
        yield Client(PEERED, party, vpc)


def _vpc(networks: Networks, subnets: tuple[str, ...]) -> str | None:
    """The VPC of some subnets: its name, or that of the first that is not in the template."""
    if not subnets:
        return None
    known = networks.subnets.get(subnets[0])
    return known.vpc if known else subnets[0]


def _endpoints_outside(application: Application) -> list[str]:
    """The endpoints that APIs name and the template does not have."""
    declared = {one.endpoint.endpoint_id for one in application.endpoints}
    named = [one for resource in application.resources.values() for one in endpoint_ids(resource)]
    return [one for one in dict.fromkeys(named) if one not in declared]


def _outside(client: Client, endpoint: str) -> Reach:
    if client.vpc is None:
        return Reach(client, endpoint, Reachability.NOT_REACHABLE, (_in_no_vpc(client),))
    text = f"{endpoint} is not in the template"
    reason = Reason(rules.OUTSIDE_THE_TEMPLATE, text, client.party.source)
    return Reach(client, endpoint, Reachability.UNKNOWN, (reason,))


def _in_no_vpc(client: Client) -> Reason:
    text = "it runs in no VPC, from where only public addresses are reached"
    return Reason(rules.OUTSIDE_A_VPC, text, client.party.source)


def _reach(
    networks: Networks, client: Client, endpoint: DeclaredEndpoint, found: tuple[Name, ...]
) -> Reach:
    if client.vpc is None:
        return Reach(client, endpoint.name, Reachability.NOT_REACHABLE, (_in_no_vpc(client),))
    steps = list(_steps(networks, client, endpoint, found))
    truth = all_of(step.truth for step in steps)
    reasons = []
    for step in steps:
        reasons.append(step.reason)
        if truth is False and step.truth is False:
            break
    return Reach(client, endpoint.name, _VERDICTS[truth], tuple(reasons), found)


def _steps(
    networks: Networks, client: Client, endpoint: DeclaredEndpoint, found: tuple[Name, ...]
) -> Iterator[Step]:
    if not endpoint.subnets:
        text = f"{endpoint.name} is in no subnet, so it has no address"
        yield stops(rules.ENDPOINT_SUBNETS, text, endpoint.source)
        return
    if found:
        yield _by_name(found)
    if client.kind == PEERED and client.vpc not in networks.vpcs:
        yield _from_outside(networks, client, endpoint)
        return
    there = Party(endpoint.name, endpoint.subnets, endpoint.security_groups, endpoint.source)
    yield from passage(networks, _with_groups(networks, client), there, _HTTPS)


def _with_groups(networks: Networks, client: Client) -> Party:
    """A client that names no security group has the VPC's default one."""
    if client.party.groups != ():
        return client.party
    groups = networks.groups.values()
    default = tuple(one.name for one in groups if one.default and one.vpc == client.vpc)
    return replace(client.party, groups=default)


def _by_name(found: tuple[Name, ...]) -> Step:
    """One name is enough; which of them the client uses is its own affair."""
    truth = any_of(one.step.truth for one in found)
    best = next(one for one in found if one.step.truth is truth)
    reason = best.step.reason
    return Step(truth, Reason(reason.rule, f"{best.name}: {reason.text}", reason.source))


def _from_outside(networks: Networks, client: Client, endpoint: DeclaredEndpoint) -> Step:
    """What can be said of a VPC that is not in the template: whether anything leads back to it."""
    joining = {one.name for one in networks.peerings if client.vpc in one.vpcs}
    for name in endpoint.subnets:
        subnet = networks.subnets.get(name)
        table = networks.tables.get(subnet.table or "") if subnet else None
        if subnet is None or (subnet.table is not None and table is None):
            break
        if table is None or not any(_may_lead(networks, route, joining) for route in table.routes):
            text = f"no route leads from {name} back to {client.vpc}"
            return stops(rules.PEERING_ROUTES, text, (table or subnet).source)
    text = f"{client.vpc} is not in the template"
    return unknown(rules.OUTSIDE_THE_TEMPLATE, text, client.party.source)


def _may_lead(networks: Networks, route: Route, joining: set[str]) -> bool:
    elsewhere = {one.name for one in networks.peerings} - joining
    return route.via != INTERNET and route.target not in elsewhere
