"""By which names a client in a VPC finds an endpoint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backstairs.access.truth import all_of
from backstairs.report.network import rules
from backstairs.report.network.passage import passage
from backstairs.report.network.step import Party, Step, Traffic, holds, stops, unknown
from backstairs.template.networks import is_unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backstairs.access import Rule
    from backstairs.template.model import Application, DeclaredEndpoint
    from backstairs.template.networks import Forwarding, Networks, ResolverEndpoint, Vpc, Zone

_DEFINED = "x-amazon-apigateway-endpoint-configuration"
_QUESTIONS = (Traffic("udp", 53), Traffic("tcp", 53))


@dataclass(frozen=True, slots=True)
class Name:
    """A kind of name that an endpoint may be called by, and whether it leads there."""

    name: str
    step: Step


def names(application: Application, vpc: Vpc, endpoint: DeclaredEndpoint) -> Iterator[Name]:
    """Every way to call an endpoint, from a VPC."""
    networks, region = application.networks, application.region
    own = f"execute-api.{region}.vpce.amazonaws.com"
    apis = f"execute-api.{region}.amazonaws.com"
    yield Name("its own names", _public(networks, vpc, endpoint, own, rules.ENDPOINT_NAMES))
    for api, resource in application.resources.items():
        if endpoint.endpoint.endpoint_id in endpoint_ids(resource):
            step = _public(networks, vpc, endpoint, apis, rules.API_ALIAS)
            yield Name(f"its alias for {api}", step)
    yield Name("API Gateway's names", _private(networks, vpc, endpoint, apis))
    for zone in networks.zones:
        for name, target in zone.records:
            if endpoint.endpoint.endpoint_id in target:
                yield Name(name, _of_zone(zone, vpc, endpoint))


def endpoint_ids(resource: Mapping[str, object]) -> list[str]:
    """The endpoints that a REST API's configuration names, by property or definition."""
    properties = _mapping(resource.get("Properties"))
    body = _mapping(properties.get("Body"))
    servers = body.get("servers")
    places = [body, *(servers if isinstance(servers, list) else [])]
    found = [_mapping(properties.get("EndpointConfiguration")).get("VpcEndpointIds")]
    found += [_mapping(_mapping(place).get(_DEFINED)).get("vpcEndpointIds") for place in places]
    return [str(one) for ids in found if isinstance(ids, list) for one in ids]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _public(
    networks: Networks, vpc: Vpc, endpoint: DeclaredEndpoint, domain: str, rule: Rule
) -> Step:
    """A name that the whole world resolves, unless something in between answers otherwise."""
    zone = _zone(networks, vpc, domain)
    asked = _asked(networks, vpc, endpoint, domain, str(zone.domain) if zone else "")
    if asked is not None:
        return asked
    if zone is None:
        return holds(rule, f"{vpc.name} resolves them, as everybody does", endpoint.source)
    if vpc.name not in zone.vpcs:
        text = f"whether {zone.name} answers {vpc.name} is not known"
        return unknown(rules.PRIVATE_ZONE, text, zone.source)
    text = f"{zone.name} answers {vpc.name} for {zone.domain}, and nobody else does"
    return stops(rules.PRIVATE_ZONE, text, zone.source)


def _private(networks: Networks, vpc: Vpc, endpoint: DeclaredEndpoint, domain: str) -> Step:
    """API Gateway's own names, which lead to an endpoint by private DNS alone."""
    here = networks.vpcs.get(endpoint.vpc)
    if endpoint.private_dns is None:
        text = f"whether {endpoint.name} has private DNS is not known"
        return unknown(rules.PRIVATE_DNS, text, endpoint.source)
    if not endpoint.private_dns:
        text = f"{endpoint.name} has no private DNS"
        return stops(rules.PRIVATE_DNS, text, endpoint.source)
    if here is None:
        text = f"{endpoint.vpc} is not in the template"
        return unknown(rules.OUTSIDE_THE_TEMPLATE, text, endpoint.source)
    needed = all_of((here.dns_support, here.dns_hostnames))
    if not needed:
        made = unknown if needed is None else stops
        text = f"{here.name} needs DNS support and DNS hostnames for private DNS"
        return made(rules.PRIVATE_DNS, text, here.source)
    # Private DNS is a private zone of the endpoint's VPC.
    least = domain if vpc.name == endpoint.vpc else ""
    return _asked(networks, vpc, endpoint, domain, least) or _answered(vpc, endpoint)


def _answered(vpc: Vpc, endpoint: DeclaredEndpoint) -> Step:
    """By private DNS, without a rule that sends the question elsewhere."""
    if vpc.name == endpoint.vpc:
        text = f"private DNS of {endpoint.name} answers in {vpc.name}"
        return holds(rules.PRIVATE_DNS, text, endpoint.source)
    text = f"private DNS answers in {endpoint.vpc}, and no rule sends {vpc.name}'s questions there"
    return stops(rules.FORWARDING, text, endpoint.source)


def _asked(
    networks: Networks, vpc: Vpc, endpoint: DeclaredEndpoint, domain: str, zone: str
) -> Step | None:
    """What becomes of a question before Amazon's DNS server answers it; None: nothing.

    `zone` is the private zone that would answer: a rule for a shorter domain does not count then.
    """
    if vpc.own_dns is not None:
        text = f"{vpc.name} asks DNS servers of its own"
        return unknown(rules.AMAZON_DNS, text, vpc.own_dns)
    if not vpc.dns_support:
        made = unknown if vpc.dns_support is None else stops
        state = "not known" if vpc.dns_support is None else "off"
        return made(rules.AMAZON_DNS, f"DNS support of {vpc.name} is {state}", vpc.source)
    rule = _forwarding(networks, vpc, domain)
    if rule is None or (not _in_doubt(rule) and (rule.here or len(str(rule.domain)) < len(zone))):
        return None
    return _forwarded(networks, vpc, endpoint, rule)


def _zone(networks: Networks, vpc: Vpc, domain: str) -> Zone | None:
    """A private zone of the template that answers for a domain or one above it."""
    return next(
        (
            zone
            for zone in networks.zones
            if _may_be(vpc, zone.vpcs) and f".{domain}".endswith(f".{zone.domain}")
        ),
        None,
    )


def _of_zone(zone: Zone, vpc: Vpc, endpoint: DeclaredEndpoint) -> Step:
    """A name that a private hosted zone gives an endpoint."""
    if not _may_be(vpc, zone.vpcs):
        return stops(rules.PRIVATE_ZONE, f"{zone.name} does not answer {vpc.name}", zone.source)
    if vpc.name not in zone.vpcs:
        text = f"whether {zone.name} answers {vpc.name} is not known"
        return unknown(rules.PRIVATE_ZONE, text, zone.source)
    if not vpc.dns_support or vpc.own_dns is not None:
        text = f"whether {vpc.name} asks Amazon's DNS server is not known"
        return unknown(rules.AMAZON_DNS, text, vpc.source)
    text = f"{zone.name} leads {vpc.name} to {endpoint.name}"
    return holds(rules.PRIVATE_ZONE, text, zone.source)


def _forwarding(networks: Networks, vpc: Vpc, domain: str) -> Forwarding | None:
    """The rule that sends a VPC's questions for a domain elsewhere, one in doubt first."""
    found = [
        one if vpc.name in one.vpcs else replace(one, doubt="it is for a VPC that is not known")
        for one in networks.forwardings
        if _may_be(vpc, one.vpcs) and _is_for(one, domain)
    ]
    return max(found, key=lambda rule: (_in_doubt(rule), len(str(rule.domain))), default=None)


def _may_be(vpc: Vpc, names: tuple[str, ...]) -> bool:
    return vpc.name in names or any(map(is_unresolved, names))


def _is_for(rule: Forwarding, domain: str) -> bool:
    if not isinstance(rule.domain, str):
        return True
    return rule.domain == "" or f".{domain}".endswith(f".{rule.domain}")


def _in_doubt(rule: Forwarding) -> bool:
    return rule.doubt is not None or not isinstance(rule.domain, str)


def _forwarded(networks: Networks, vpc: Vpc, endpoint: DeclaredEndpoint, rule: Forwarding) -> Step:
    """Whether a forwarded question gets to the endpoint's VPC, which knows the answer."""
    if _in_doubt(rule):
        text = f"whether {rule.name} forwards {vpc.name}'s questions is not known"
        return unknown(rules.FORWARDING, text, rule.source)
    outbound, inbound = networks.resolvers.get(rule.endpoint), _answering(networks, rule)
    if outbound is None or inbound is None:
        missing = rule.endpoint if outbound is None else ", ".join(map(str, rule.targets))
        text = f"{rule.name} forwards to {missing}, which is not in the template"
        return unknown(rules.OUTSIDE_THE_TEMPLATE, text, rule.source)
    steps = [
        step for one in _QUESTIONS for step in passage(networks, *_ends(outbound, inbound), one)
    ]
    truth = all_of(step.truth for step in steps)
    if not truth:
        reason = next(step.reason for step in steps if step.truth is truth)
        made = unknown if truth is None else stops
        text = f"{rule.name} forwards from {outbound.name} to {inbound.name}: {reason.text}"
        return made(reason.rule, text, reason.source or rule.source)
    place = networks.subnets[inbound.subnets[0]].vpc
    text = f"{rule.name} forwards {vpc.name}'s questions to {inbound.name} in {place}"
    return (holds if place == endpoint.vpc else unknown)(rules.FORWARDING, text, rule.source)


def _answering(networks: Networks, rule: Forwarding) -> ResolverEndpoint | None:
    """The inbound endpoint of the template that has all the addresses a rule forwards to."""
    inbound = (one for one in networks.resolvers.values() if one.inbound)
    return next((one for one in inbound if set(rule.targets) <= set(one.addresses)), None)


def _ends(*resolvers: ResolverEndpoint) -> tuple[Party, Party]:
    one, other = (Party(each.name, each.subnets, each.groups, each.source) for each in resolvers)
    return one, other
