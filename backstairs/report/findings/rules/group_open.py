"""Security groups of endpoints and functions that ask nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application
    from backstairs.template.networks import Allowance

RULE = Rule(
    id="group-open",
    title="The security group of an endpoint or function asks nothing",
    severity=Severity.WARNING,
    why=(
        "Whatever reaches the network, over peering, VPN or a gateway, reaches the endpoint, and "
        "with it every private API that admits the endpoint; a function needs nothing let in at "
        "all. And what may go out anywhere may take data along."
    ),
    mend=(
        "Let in port 443 from the clients' security groups or the VPC's own range, nothing else; "
        "let out 443 to the endpoints that are used."
    ),
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html",
)

_EVERYWHERE = ("0.0.0.0/0", "::/0")
_TLS = (443, 443)


def check(application: Application) -> Iterator[Finding]:
    """What groups of execute-api endpoints and of functions let in, and let out of everything."""
    groups = application.networks.groups
    endpoints = {name for one in application.endpoints for name in one.security_groups}
    functions = {name for one in application.functions for name in one.security_groups}
    for name in sorted((endpoints | functions) & groups.keys()):
        for rule in groups[name].ingress:
            if rule.peer in _EVERYWHERE:
                says = "it lets in whatever reaches the network, from anywhere"
                yield RULE.finds(name, says, rule.source)
            if name in endpoints and _wider_than_tls(rule):
                says = "it lets in more than port 443, which is all that an endpoint answers"
                yield RULE.finds(name, says, rule.source)
        if any(rule.protocol == "-1" and rule.peer in _EVERYWHERE for rule in groups[name].egress):
            yield RULE.finds(name, "it lets out everything", groups[name].source, Severity.NOTE)


def _wider_than_tls(rule: Allowance) -> bool:
    return rule.ports is None or (isinstance(rule.ports, tuple) and rule.ports != _TLS)
