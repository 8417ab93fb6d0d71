"""Ranges of addresses, as routes, network ACLs and security groups name them."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING

from backstairs.access.truth import Truth, any_of

if TYPE_CHECKING:
    from backstairs.access import Unresolved
    from backstairs.template.networks import Networks

    Range = str | Unresolved

EVERYWHERE = ("0.0.0.0/0", "::/0")
_LONGEST = 128


@lru_cache(maxsize=4096)
def covers(outer: Range, inner: Range) -> Truth:
    """Whether a range holds all of another; None where it holds a part, or where one is unknown."""
    if str(outer) == EVERYWHERE[0] and ":" not in str(inner):
        return True
    try:
        one, other = (ipaddress.ip_network(str(value), strict=False) for value in (outer, inner))
    except ValueError:
        return None
    if one.version != other.version:
        return False
    if other.subnet_of(one):  # type: ignore[arg-type]
        return True
    return None if one.overlaps(other) else False


def listed(networks: Networks, peer: Range, inner: Range) -> Truth:
    """The same for what may be a prefix list of the template."""
    entries = networks.prefix_lists.get(str(peer))
    return covers(peer, inner) if entries is None else any_of(covers(one, inner) for one in entries)


def length(value: Range) -> int:
    """How specific a range is; what is not known could be a single address."""
    try:
        return ipaddress.ip_network(str(value), strict=False).prefixlen
    except ValueError:
        return _LONGEST
