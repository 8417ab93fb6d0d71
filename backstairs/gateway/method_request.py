"""A request that was admitted to a method: what either payload tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from backstairs.access.model import Authorization

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from backstairs.access import Api, Origin, Principal, Route, WireRequest
    from backstairs.gateway.authentication import Proof
    from backstairs.gateway.stage import Method, Stage


@dataclass(frozen=True, slots=True)
class MethodRequest:
    """A method request: the request as it was sent, where it goes, who sent it, how it came.

    `path` is below the stage and `parameters` are its own; `header_names` are the names of the
    headers as they were written, in their order; `trace_id` is the value of X-Amzn-Trace-Id.
    """

    wire: WireRequest
    stage: Stage
    method: Method
    path: str
    parameters: Mapping[str, str]
    origin: Origin
    proof: Proof
    request_id: str
    time: datetime
    trace_id: str
    header_names: Sequence[bytes]

    @property
    def api(self) -> Api:
        """The API that it is for."""
        return self.stage.api

    @property
    def route(self) -> Route:
        """The route that it is for."""
        return self.method.route

    @property
    def signer(self) -> Principal | None:
        """Who signed it, where the method asks for a signature."""
        return self.proof.caller if self.route.authorization is Authorization.AWS_IAM else None

    @property
    def domain(self) -> str:
        """The name that it was sent to; its first label is the domain's prefix."""
        return "".join(self.wire.values("host")[:1])

    @property
    def user_agent(self) -> str | None:
        """The last User-Agent that it names."""
        agents = self.wire.values("user-agent")
        return agents[-1] if agents else None

    @property
    def forwarded_for(self) -> str:
        """X-Forwarded-For: the client's address behind what it sent, so its word and not a proof.

        Source: public report of a live REST API (fireprox #12); of an HTTP API it is unverified.
        """
        sent = self.wire.values("x-forwarded-for")
        return ", ".join(filter(None, [*sent, self.origin.source_ip]))

    @property
    def requested_at(self) -> str:
        """When it came: `27/Nov/2026:20:48:36 +0000`."""
        return self.time.strftime("%d/%b/%Y:%H:%M:%S +0000")

    @property
    def requested_at_epoch(self) -> int:
        """The same in milliseconds since the epoch."""
        return int(self.time.timestamp() * 1000)

    def query(self) -> dict[str, list[str]]:
        """The values of each parameter of its query, decoded, in order."""
        parts = filter(None, self.wire.query.decode("latin-1").split("&"))
        pairs = (part.partition("=") for part in parts)
        return gather((unquote_plus(name), unquote_plus(value)) for name, _, value in pairs)


def gather(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The values of each name, in order."""
    gathered: dict[str, list[str]] = {}
    for name, value in pairs:
        gathered.setdefault(name, []).append(value)
    return gathered
