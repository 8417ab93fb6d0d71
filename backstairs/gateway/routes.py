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
from backstairs.access.paths import decoded
from backstairs.template.openapi import DEFAULT

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


_PARAMETER = re.compile(r"\{([^}+]+)\+?\}")


class Routes:
    """The methods of one API, matched as API Gateway does: segment by segment, undecoded.

    The resource is found first: a literal segment is preferred to a parameter, a parameter to a
    greedy one. Then its method, or ANY. One slash at the end does not count (public reports).
    """

    def __init__(self, api: Api) -> None:
        self.api = api
        self._methods: dict[str, dict[str, Route]] = {}
        for route in api.routes:
            self._methods.setdefault(route.path, {})[route.method] = route
        patterns = [path for path in self._methods if "{" in path]
        self._patterns = [(_pattern(path), path) for path in sorted(patterns, key=_ranks)]

    def find(self, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        """The route of a method and path, with its path parameters as they were sent."""
        path = path.removesuffix("/") or "/"
        resource, parameters = self._resource(path)
        methods = self._methods.get(resource or "", {})
        return methods.get(method) or methods.get("ANY"), parameters

    def _resource(self, path: str) -> tuple[str | None, dict[str, str]]:
        if path in self._methods and "{" not in path:
            return path, {}
        for pattern, resource in self._patterns:
            found = pattern.fullmatch(path)
            if found is not None:
                names = _PARAMETER.findall(resource)
                return resource, dict(zip(names, found.groups(), strict=True))
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
        ),
        re.DOTALL,  # an encoded line feed is a character like any other
    )


def _ranks(path: str) -> list[int]:
    return [
        2 if segment.endswith("+}") else 1 if segment.startswith("{") else 0
        for segment in path.split("/")
    ]


class HttpRoutes:
    """The routes of one HTTP API.

    A full match comes before a greedy one, literal segments before parameters, a method before ANY,
    and $default last; a route with another method does not stand in the way ("Create routes for
    HTTP APIs in API Gateway"). Paths are matched decoded, slashes at their start count as one, one
    at the end makes another path (public reports; see `HTTP_PATHS`).
    """

    def __init__(self, api: Api) -> None:
        self.api = api
        self._default = next((route for route in api.routes if route.path == DEFAULT), None)
        listed = sorted((route for route in api.routes if route.path != DEFAULT), key=_http_ranks)
        self._routes = [(_pattern(route.path), route) for route in listed]

    def find(self, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        """The route of a method and path, with its path parameters decoded."""
        wanted = "/" + decoded(path).lstrip("/")
        for pattern, route in self._routes:
            found = pattern.fullmatch(wanted) if route.method in (method, "ANY") else None
            if found is not None:
                names = _PARAMETER.findall(route.path)
                return route, dict(zip(names, found.groups(), strict=True))
        return self._default, {}


def _http_ranks(route: Route) -> tuple[bool, list[int], bool]:
    return "+}" in route.path, _ranks(route.path), route.method == "ANY"


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
        self._apis = {
            (api.api_id, api.stage): HttpRoutes(api) if api.kind is Kind.HTTP else Routes(api)
            for api in apis
        }
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
