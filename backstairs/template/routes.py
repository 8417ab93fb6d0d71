"""Which method of an API a path belongs to, as API Gateway matches them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backstairs.access import Kind
from backstairs.access.paths import decoded
from backstairs.template.openapi import DEFAULT

if TYPE_CHECKING:
    from backstairs.access import Api, Route

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

    def before(self, route: Route, method: str) -> list[str]:  # noqa: ARG002 - HTTP APIs ask it
        """The paths of resources that are preferred to a route's: what they match is not its."""
        if "{" not in route.path:
            return []
        literal = [path for path in self._methods if "{" not in path]
        patterns = [path for _, path in self._patterns]
        return literal + patterns[: patterns.index(route.path)]

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


def parts_of(path: str) -> list[str]:
    """A resource's pattern in parts: text, `{parameter}` and `{greedy+}`."""
    return [part for part in re.split(r"(\{[^}]+\})", path) if part]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(
        "".join(
            "(.+)"
            if part.endswith("+}")
            else "([^/]+)"
            if part.startswith("{")
            else re.escape(part)
            for part in parts_of(path)
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

    def before(self, route: Route, method: str) -> list[str]:
        """The paths of routes that come before one for a method: what they match is not its."""
        paths = []
        for _, other in self._routes:
            if other is route:
                break
            if other.method in (method, "ANY"):
                paths.append(other.path)
        return paths


def _http_ranks(route: Route) -> tuple[bool, list[int], bool]:
    return "+}" in route.path, _ranks(route.path), route.method == "ANY"


def routes_of(api: Api) -> Routes | HttpRoutes:
    """The methods of an API, matched as its kind does."""
    return HttpRoutes(api) if api.kind is Kind.HTTP else Routes(api)
