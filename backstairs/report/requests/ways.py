"""Ways in, one of each class that policies can tell apart by endpoint, VPC and address."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from backstairs.access import Endpoint, Origin
from backstairs.access.conditions import compared
from backstairs.report.entrances import INTERNET, OTHER_ENDPOINT, Entrance
from backstairs.report.named import address_classes
from backstairs.report.requests.automata import Row, Unit, text
from backstairs.report.requests.values import (
    MOMENTS,
    conditions_on,
    is_measured,
    is_text,
    texts,
    variables_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backstairs.access.conditions import Condition
    from backstairs.access.patterns import Lookup
    from backstairs.access.policy import Statement

_SOURCE_VPCE, _SOURCE_VPC = "aws:sourcevpce", "aws:sourcevpc"
_KEYS = {
    _SOURCE_VPCE,
    _SOURCE_VPC,
    "aws:sourceip",
    "aws:vpcsourceip",
    *MOMENTS,
}
_ID = Unit(frozenset("0123456789abcdefghijklmnopqrstuvwxyz"))


def ways(
    known: Sequence[Entrance], statements: Sequence[Statement], lookup: Lookup, limit: int
) -> list[Entrance]:
    """The known ways in, and one for each class of unknown ones. Raises TooManyError.

    `statements` are those that a call may meet, `lookup` the caller's keys. An endpoint that nobody
    declares has AWS's default policy: with one of its own it would let less through.
    """
    asks_vpc = bool(conditions_on(_SOURCE_VPC, statements))
    found = [
        one
        for one in known
        if one.origin.endpoint is None or one.origin.endpoint.vpc_id or not asks_vpc
    ]
    found += _endpoints(found, statements, lookup, limit)
    if not any(one.origin.endpoint is None for one in found):
        found.append(Entrance(INTERNET, Origin(INTERNET), "no endpoint in between"))
    return [one for way in found for one in _by_address(way, statements)]


def _endpoints(
    known: Sequence[Entrance], statements: Sequence[Statement], lookup: Lookup, limit: int
) -> Iterator[Entrance]:
    declared = [one.origin.endpoint for one in known if one.origin.endpoint]
    ids = {one.endpoint_id for one in declared}
    on_id, on_vpc = (conditions_on(key, statements) for key in (_SOURCE_VPCE, _SOURCE_VPC))
    endpoints = texts(on_id, [_row("vpce-")], known=sorted(ids), lookup=lookup, limit=limit)
    vpcs = texts(on_vpc, [_row("vpc-")], lookup=lookup, limit=limit)
    named = {str(value) for one in on_id for value in one.values}
    for endpoint_id, vpc_id in product(endpoints, vpcs):
        if endpoint_id in ids:
            continue
        name = endpoint_id if endpoint_id in named else OTHER_ENDPOINT
        origin = Origin(name, Endpoint(endpoint_id, vpc_id))
        says = f"{endpoint_id} of {vpc_id}, which the template does not declare"
        yield Entrance(name, origin, says)


def _by_address(way: Entrance, statements: Sequence[Statement]) -> Iterator[Entrance]:
    lists = [
        tuple(str(value) for value in one.values)
        for one in conditions_on(_address_key(way), statements)
        if compared(one.operator) == "ipaddress"
    ]
    if not lists or way.origin.source_ip is not None:
        yield way
        return
    for address, network in address_classes(lists):
        name = way.name if network is None else f"{way.name}, from {network}"
        origin = replace(way.origin, name=name, source_ip=address)
        yield replace(way, name=name, origin=origin, says=f"{way.says}; from {address}")


def not_enumerated(statements: Sequence[Statement]) -> Iterator[str]:
    """What of ways in and times is not told apart, and why."""
    for statement in statements:
        for name in sorted(variables_of(statement) & _KEYS):
            yield f"{statement.name} compares with ${{{name}}}"
        for one in statement.conditions:
            key = one.key.lower()
            odd = key in ("aws:sourceip", "aws:vpcsourceip") and not _of_addresses(one)
            odd = odd or (key in MOMENTS and not is_measured(one))
            if odd or (key in (_SOURCE_VPCE, _SOURCE_VPC) and not is_text(one)):
                yield f"{statement.name} compares {one.key} by {one.operator}"


def _of_addresses(condition: Condition) -> bool:
    return condition.operator.lower() == "null" or compared(condition.operator) == "ipaddress"


def _address_key(way: Entrance) -> str:
    return "aws:sourceip" if way.origin.endpoint is None else "aws:vpcsourceip"


def _row(prefix: str) -> Row:
    return (*text(prefix), _ID, replace(_ID, many=True))
