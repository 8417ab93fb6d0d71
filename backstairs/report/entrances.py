"""Where a call may come from: endpoints, declared or not, and the internet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backstairs.access import Endpoint, Origin
from backstairs.report.named import address_classes
from backstairs.report.reach import PEERED, Reachability, reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access import Source
    from backstairs.report.facts import Facts
    from backstairs.report.named import Named
    from backstairs.template.model import Application

INTERNET = "the internet"
OTHER_ENDPOINT = "another VPC's endpoint"
OTHER_ENDPOINT_ID = "vpce-elsewhere"


@dataclass(frozen=True, slots=True, eq=False)
class Entrance:
    """An origin, what it stands for, and what was assumed about it (empty: nothing).

    `peered` is the VPC whose calls come through the endpoint of another one.
    """

    name: str
    origin: Origin
    says: str
    source: Source | None = None
    assumes: str = ""
    peered: str = ""


def entrances(application: Application, named: Named, facts: Facts) -> tuple[Entrance, ...]:
    """All ways in to ask about."""
    return (*_endpoints(application, named, facts), *_internet(named, facts))


def _endpoints(application: Application, named: Named, facts: Facts) -> Iterator[Entrance]:
    declared = {one.endpoint.endpoint_id for one in application.endpoints}
    found = [
        Entrance(one.name, Origin(one.name, one.endpoint), "declared in the template", one.source)
        for one in application.endpoints
    ]
    found += _peered(application)
    for name, endpoint in facts.endpoints.items():
        if name not in declared:
            found.append(Entrance(name, Origin(name, endpoint), "from the facts"))
    default = "it has AWS's default policy, which allows everything"
    for name in sorted(named.endpoints - declared - facts.endpoints.keys()):
        endpoint = Endpoint(name, "")
        says = "a policy names it; the template does not declare it"
        found.append(Entrance(name, Origin(name, endpoint), says, assumes=default))
    vpcs = {one.origin.endpoint.vpc_id for one in found if one.origin.endpoint}
    for vpc in sorted(named.vpcs - vpcs):
        name = f"an endpoint of {vpc}"
        origin = Origin(name, Endpoint(f"vpce-of-{vpc}", vpc))
        found.append(Entrance(name, origin, "a policy names its VPC", assumes=default))
    other = Origin(OTHER_ENDPOINT, Endpoint(OTHER_ENDPOINT_ID, "vpc-elsewhere"))
    found.append(Entrance(OTHER_ENDPOINT, other, "of whatever account", assumes=default))
    for one in found:
        yield from _by_address(one, named.inner_addresses)


def _peered(application: Application) -> Iterator[Entrance]:
    """Peered VPCs whose packets reach an endpoint: policies take their calls for the endpoint's."""
    if not application.networks.peerings:
        return
    declared = {one.name: one for one in application.endpoints}
    for one in reach(application):
        vpc = one.client.vpc
        gets_there = one.verdict is not Reachability.NOT_REACHABLE and one.endpoint in declared
        if one.client.kind != PEERED or not gets_there or vpc is None:
            continue
        name = f"{vpc} by {one.endpoint}"
        says = f"a peered VPC ({one.client.party.source}); its calls look like the endpoint's own"
        doubt = "its packets get there" if one.verdict is Reachability.UNKNOWN else ""
        endpoint = declared[one.endpoint]
        origin = Origin(name, endpoint.endpoint)
        yield Entrance(name, origin, says, endpoint.source, doubt, vpc)


def _internet(named: Named, facts: Facts) -> Iterator[Entrance]:
    everywhere = Entrance(INTERNET, Origin(INTERNET), "no endpoint in between")
    yield from _by_address(everywhere, named.addresses)
    for name, address in facts.addresses.items():
        says = f"the internet, from {address}, of the facts"
        yield Entrance(name, Origin(name, source_ip=address), says)


def _by_address(entrance: Entrance, lists: frozenset[tuple[str, ...]]) -> Iterator[Entrance]:
    """The same once for each class of addresses that policies tell apart."""
    if not lists:
        yield entrance
        return
    for address, network in address_classes(lists):
        name = entrance.name if network is None else f"{network} by {entrance.name}"
        origin = replace(entrance.origin, name=name, source_ip=address)
        says = entrance.says if network is None else f"{entrance.says}; an address that is listed"
        yield replace(entrance, name=name, origin=origin, says=says)
