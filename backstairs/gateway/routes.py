"""Which API, stage and method a request is for.

The path is taken as it was sent: nobody outside AWS has said what API Gateway does with dot
segments and doubled slashes, so a variant of a path for which a policy would decide otherwise is
not decided (`PATH_AS_SENT`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstairs.access import Kind
from backstairs.gateway.stage import Method
from backstairs.template.openapi import DEFAULT
from backstairs.template.routes import routes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backstairs.access import Api, Endpoint, Route, WireRequest
    from backstairs.gateway.stage import Stage


@dataclass(frozen=True, slots=True)
class Target:
    """What a request's names lead to. `path` is below the stage; None where nothing is found."""

    stage: Stage | None
    method: Method | None
    path: str
    parameters: Mapping[str, str]

    @property
    def api(self) -> Api | None:
        """The API of the stage."""
        return self.stage.api if self.stage else None

    @property
    def route(self) -> Route | None:
        """The route of the method."""
        return self.method.route if self.method else None


class _Router:
    """The routes of one stage, each with its method."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._routes = routes_of(stage.api)
        self._methods = {route: Method(route) for route in stage.api.routes}
        self._methods |= {method.route: method for method in stage.methods}

    def target_of(self, method: str, path: str) -> Target:
        route, parameters = self._routes.find(method, path)
        return Target(self.stage, self._methods[route] if route else None, path, parameters)


class Directory:
    """The stages that can be addressed, and the names they are addressed by.

    Source: API Gateway Developer Guide, "Invoke a private API": an endpoint's DNS name with
    `x-apigw-api-id` or with the API's own name as Host, or `{api}-{vpce}` as Host. An HTTP API's
    stage `$default` is at the root ("Stages for HTTP APIs").
    """

    def __init__(self, stages: Sequence[Stage] = ()) -> None:
        self.replace(stages)

    def replace(self, stages: Sequence[Stage]) -> None:
        """Know these, and no others any more."""
        self._stages = {(one.api.api_id, one.api.stage): _Router(one) for one in stages}
        self._http = {one.api.api_id: one for one in stages if one.api.kind is Kind.HTTP}

    def target_of(self, request: WireRequest, endpoint: Endpoint | None) -> Target:
        """The API, stage and method that a request names."""
        sent = request.path.decode("latin-1")
        stage, _, rest = sent.removeprefix("/").partition("/")
        path = f"/{rest}"
        api_id, region = _named(request, endpoint)
        found = self._stages.get((api_id, stage))
        if found is None and api_id in self._http:
            path = sent
            found = self._stages.get((api_id, DEFAULT))
            if found is None:
                # An HTTP API answers for a stage that it does not have as for a route.
                return Target(self._http[api_id], None, path, {})
        if found is None or (region is not None and region != found.stage.api.region):
            return Target(None, None, path, {})
        return found.target_of(request.method, path)


_API_HOST = re.compile(
    r"([a-z0-9]+)(?:-(vpce-[a-z0-9]+))?\.execute-api\.([a-z0-9-]+)\.amazonaws\.com"
)


def _named(request: WireRequest, endpoint: Endpoint | None) -> tuple[str, str | None]:
    """The API's id that a request names, and the region where it names one; empty if none."""
    hosts = request.values("host")
    if len(hosts) != 1:
        return "", None
    named = _API_HOST.fullmatch(hosts[0].partition(":")[0].lower())
    if named is not None:
        elsewhere = named[2] is not None and (endpoint is None or named[2] != endpoint.endpoint_id)
        return ("" if elsewhere else named[1]), named[3]
    ids = request.values("x-apigw-api-id")
    return (ids[0] if len(ids) == 1 and endpoint is not None else ""), None
