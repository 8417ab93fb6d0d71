"""Which API, stage and method a request is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backstairs.access import Api, Endpoint, Route, WireRequest


@dataclass(frozen=True, slots=True)
class Target:
    """What a request's names lead to. `path` is below the stage; None where nothing is found."""

    api: Api | None
    route: Route | None
    path: str
    parameters: Mapping[str, str]


class Routes:
    """The methods of one API, matched as API Gateway does: segment by segment, undecoded.

    A literal segment is preferred to a parameter, a parameter to a greedy one, a method to ANY.
    """

    def __init__(self, api: Api) -> None:
        self.api = api
        self._literal: dict[tuple[str, str], Route] = {}
        self._patterns: list[tuple[re.Pattern[str], Route]] = []
        for route in api.routes:
            if "{" in route.path:
                self._patterns.append((_pattern(route.path), route))
            else:
                self._literal[route.method, route.path] = route
        self._patterns.sort(key=lambda item: _order(item[1]))

    def find(self, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        """The route of a method and path, with its path parameters as they were sent."""
        literal = self._literal.get((method, path)) or self._literal.get(("ANY", path))
        if literal is not None:
            return literal, {}
        for pattern, route in self._patterns:
            if route.method in (method, "ANY"):
                found = pattern.fullmatch(path)
                if found is not None:
                    names = re.findall(r"\{([^}+]+)\+?\}", route.path)
                    return route, dict(zip(names, found.groups(), strict=True))
        return None, {}


def matches_path(pattern: str, path: str) -> bool:
    """Whether a resource's pattern (`/members/{memberId}`) covers a path."""
    return _pattern(pattern).fullmatch(path) is not None


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(
        "".join(
            "(.+)"
            if part.endswith("+}")
            else "([^/]+)"
            if part.startswith("{")
            else re.escape(part)
            for part in re.split(r"(\{[^}]+\})", path)
        )
    )


def _order(route: Route) -> tuple[list[int], bool]:
    ranks = [
        2 if segment.endswith("+}") else 1 if segment.startswith("{") else 0
        for segment in route.path.split("/")
    ]
    return ranks, route.method == "ANY"


class Directory:
    """The APIs that can be addressed, and the names they are addressed by.

    Source: API Gateway Developer Guide, "Invoke a private API": an endpoint's DNS name with
    `x-apigw-api-id` or with the API's own name as Host, or `{api}-{vpce}` as Host.
    """

    def __init__(self, apis: Iterable[Api]) -> None:
        self._apis = {(api.api_id, api.stage): Routes(api) for api in apis}

    def find(self, request: WireRequest, endpoint: Endpoint | None) -> Target:
        """The API, stage and route that a request names."""
        _, stage, rest = (*request.path.decode("latin-1").split("/", 2), "")[:3]
        path = f"/{rest}"
        routes = self._apis.get((_api_id(request, endpoint) or "", stage))
        if routes is None:
            return Target(None, None, path, {})
        route, parameters = routes.find(request.method, path)
        return Target(routes.api, route, path, parameters)


_API_HOST = re.compile(
    r"([a-z0-9]+)(?:-(vpce-[a-z0-9]+))?\.execute-api\.[a-z0-9-]+\.amazonaws\.com"
)


def _api_id(request: WireRequest, endpoint: Endpoint | None) -> str | None:
    hosts = request.values("host")
    if len(hosts) != 1:
        return None
    named = _API_HOST.fullmatch(hosts[0].partition(":")[0].lower())
    if named is not None:
        if named[2] is not None and (endpoint is None or named[2] != endpoint.endpoint_id):
            return None
        return named[1]
    ids = request.values("x-apigw-api-id")
    return ids[0] if len(ids) == 1 and endpoint is not None else None
