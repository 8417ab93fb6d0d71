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
from backstairs.template.openapi import DEFAULT
from backstairs.template.routes import routes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backstairs.access import Api, Endpoint, Route, WireRequest


@dataclass(frozen=True, slots=True)
class Target:
    """What a request's names lead to. `path` is below the stage; None where nothing is found."""

    api: Api | None
    route: Route | None
    path: str
    parameters: Mapping[str, str]


class Directory:
    """The APIs that can be addressed, and the names they are addressed by.

    Source: API Gateway Developer Guide, "Invoke a private API": an endpoint's DNS name with
    `x-apigw-api-id` or with the API's own name as Host, or `{api}-{vpce}` as Host. An HTTP API's
    stage `$default` is at the root ("Stages for HTTP APIs").
    """

    def __init__(self, apis: Sequence[Api]) -> None:
        self.replace(apis)

    def replace(self, apis: Sequence[Api]) -> None:
        """Know these, and no others any more."""
        self._apis = {(api.api_id, api.stage): routes_of(api) for api in apis}
        self._http = {api.api_id: api for api in apis if api.kind is Kind.HTTP}

    def find(self, request: WireRequest, endpoint: Endpoint | None) -> Target:
        """The API, stage and route that a request names."""
        sent = request.path.decode("latin-1")
        stage, _, rest = sent.removeprefix("/").partition("/")
        path = f"/{rest}"
        api_id, region = _named(request, endpoint)
        routes = self._apis.get((api_id, stage))
        if routes is None and api_id in self._http:
            path = sent
            routes = self._apis.get((api_id, DEFAULT))
            if routes is None:
                # An HTTP API answers for a stage that it does not have as for a route.
                return Target(self._http[api_id], None, path, {})
        if routes is None or (region is not None and region != routes.api.region):
            return Target(None, None, path, {})
        route, parameters = routes.find(request.method, path)
        return Target(routes.api, route, path, parameters)


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
