"""What the policies of an application name: resources, endpoints, networks, accounts, addresses.

A question that no policy tells from another need not be asked twice; one that they tell apart must
be asked. So what they name decides who and what stands in the matrix.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backstairs.access import Policy, Principal
    from backstairs.access.policy import Statement
    from backstairs.template.model import Application

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_IDENTITY = re.compile(r"arn:[^:]*:(?:iam|sts)::(\d{12}):[^*?]+", re.ASCII)
_SOURCE_IP, _VPC_SOURCE_IP = "aws:sourceip", "aws:vpcsourceip"
_ENDPOINT, _VPC = "aws:sourcevpce", "aws:sourcevpc"


@dataclass(frozen=True, slots=True)
class Named:
    """What policies name. `addresses` and `inner_addresses` hold each condition's list of networks.

    `identities` are ARNs of roles, users and sessions that an API's policy names; `accounts` their
    numbers and those that it names without one.
    """

    resources: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset()
    vpcs: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    identities: frozenset[str] = frozenset()
    addresses: frozenset[tuple[str, ...]] = frozenset()
    inner_addresses: frozenset[tuple[str, ...]] = frozenset()

    def __or__(self, other: Named) -> Named:
        return Named(
            self.resources | other.resources,
            self.endpoints | other.endpoints,
            self.vpcs | other.vpcs,
            self.accounts | other.accounts,
            self.identities | other.identities,
            self.addresses | other.addresses,
            self.inner_addresses | other.inner_addresses,
        )


def named_by(application: Application, more: Iterable[Principal] = ()) -> Named:
    """What the policies of an application name, and those of more principals."""
    guards = [
        policy
        for policy in (
            *(declared.api.policy for declared in application.apis),
            *(declared.endpoint.policy for declared in application.endpoints),
        )
        if policy is not None
    ]
    held = [
        policy
        for principal in (*(one.principal for one in application.principals), *more)
        for policy in (*principal.policies, *principal.limits, *principal.session)
    ]
    statements = list(_statements((*guards, *held)))
    principals = {
        str(principal) for one in _statements(guards) for principal in one.principals or ()
    }
    principals |= _values(statements, "aws:principalaccount")
    principals |= _values(statements, "aws:principalarn")
    identities = frozenset(name for name in principals if _IDENTITY.fullmatch(name))
    accounts = {name for name in principals if _ACCOUNT.fullmatch(name)}
    return Named(
        resources=frozenset(
            pattern for one in statements for pattern in one.resources if isinstance(pattern, str)
        ),
        endpoints=frozenset(_literal(_values(statements, _ENDPOINT))),
        vpcs=frozenset(_literal(_values(statements, _VPC))),
        accounts=frozenset(accounts),
        identities=identities,
        addresses=frozenset(_lists(statements, _SOURCE_IP)),
        inner_addresses=frozenset(_lists(statements, _VPC_SOURCE_IP)),
    )


def account_of(arn: str) -> str:
    """The account of an identity's ARN."""
    return arn.split(":")[4]


def _statements(policies: Iterable[Policy]) -> Iterator[Statement]:
    for policy in policies:
        yield from policy.statements


def _values(statements: Iterable[Statement], key: str) -> set[str]:
    return {value for values in _lists(statements, key) for value in values}


def _lists(statements: Iterable[Statement], key: str) -> set[tuple[str, ...]]:
    """The values that are known, of each condition on a key."""
    return {
        tuple(value for value in condition.values if isinstance(value, str))
        for one in statements
        for condition in one.conditions
        if condition.key.lower() == key
    }


def _literal(values: Iterable[str]) -> Iterator[str]:
    return (value for value in values if not re.search(r"[*?$]", value))


_ELSEWHERE = ("198.51.100.1", "203.0.113.1", "192.0.2.1", "2001:db8::1")
_FIRST = ("0.0.0.0", "::")  # noqa: S104 - an address to ask about, none to listen at


def address_classes(lists: Iterable[tuple[str, ...]]) -> list[tuple[str, str | None]]:
    """One address of each class that lists of networks tell apart, and the network it is named by.

    None: it is in no list. What is no network tells nothing apart.
    """
    parsed = [[network for text in one if (network := _network(text))] for one in sorted(lists)]
    candidates = [ipaddress.ip_address(text) for text in _ELSEWHERE]
    for network in (network for one in parsed for network in one):
        candidates.append(network.network_address)
        if int(network.broadcast_address) + 1 < 1 << network.max_prefixlen:
            candidates.append(network.broadcast_address + 1)
    candidates += [ipaddress.ip_address(text) for text in _FIRST]
    classes: dict[tuple[bool, ...], tuple[str, str | None]] = {}
    for address in candidates:
        inside = [next((str(net) for net in one if address in net), None) for one in parsed]
        signature = tuple(name is not None for name in inside)
        named = next((name for name in inside if name is not None), None)
        classes.setdefault(signature, (str(address), named))
    return list(classes.values())


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
