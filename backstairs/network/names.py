"""The names that each network knows, and the ports of this machine that they lead to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backstairs.access import Endpoint

Known = list[tuple[re.Pattern[str], int]]


def names_of(endpoint: Endpoint, region: str) -> re.Pattern[str]:
    """The DNS names that lead to an execute-api endpoint inside its VPC.

    Source: API Gateway Developer Guide, "Invoke a private API"; with private DNS every API's own
    name leads there too.
    """
    own = re.escape(endpoint.endpoint_id)
    names = [
        rf"{own}-[a-z0-9-]+\.execute-api\.{region}\.vpce\.amazonaws\.com",
        rf"[a-z0-9]+-{own}\.execute-api\.{region}\.amazonaws\.com",
    ]
    if endpoint.private_dns:
        names.append(rf"[a-z0-9]+\.execute-api\.{region}\.amazonaws\.com")
    return re.compile("|".join(names))


class Names:
    """The names of a region's APIs by VPC, and of services that every VPC knows.

    `endpoints` with the port of each, `internet` the port of what a VPC does not lead to,
    `services` the ports of names that no network outside knows.
    """

    def __init__(
        self,
        region: str,
        endpoints: Iterable[tuple[Endpoint, int]],
        internet: int,
        services: Mapping[str, int],
    ) -> None:
        self._services = dict(services)
        self._outside: Known = [(re.compile(rf".*\.{region}\.amazonaws\.com"), internet)]
        self._inside: dict[str, Known] = {}
        for endpoint, port in endpoints:
            known = self._inside.setdefault(endpoint.vpc_id, [])
            known.append((names_of(endpoint, region), port))

    def port_of(self, vpc_id: str | None, name: str) -> int | None:
        """The port that a name leads to in a VPC, or on the internet (None); None if to nothing."""
        known = self._inside.get(vpc_id, []) if vpc_id else self._outside
        for pattern, port in known:
            if pattern.fullmatch(name):
                return port
        return self._services.get(name) if vpc_id else None
