"""Where in a template that is written stands what its translation holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from backstairs.template.openapi import ANY_METHOD
from backstairs.template.sources import Written

if TYPE_CHECKING:
    from backstairs.access import Source
    from backstairs.template.sources import Lines

Json = Any
Path = tuple[str | int, ...]
# The property of SAM's that makes a resource.
_MADE_BY = {
    "AWS::IAM::Role": "Policies",
    "AWS::Lambda::Url": "FunctionUrlConfig",
    "AWS::Lambda::Permission": "Events",
}


class Places:
    """The places of one template's translated resources."""

    def __init__(self, lines: Lines, written: Mapping[str, Mapping[str, Json]]) -> None:
        self._lines = lines
        self._written = written

    def of(self, logical_id: str, resource: Mapping[str, Json], path: Path = ()) -> Source:
        """Where a part of a translated resource is written, or the property that made it."""
        statement = _written(resource, path)
        if statement is not None:
            return statement
        made = self._route(logical_id, path)
        if made is not None:
            return made
        if logical_id in self._written:
            return self._own(logical_id, path)
        owner = self._owner(logical_id)
        made_by = _MADE_BY.get(str(resource.get("Type")))
        if made_by == "Policies" and path[1:2] == ("Policies",):
            number = _number(resource, path)
            return self._lines.at("Resources", owner, *path[:2], number, made_by=made_by)
        rest = ("Properties", made_by) if made_by else ()
        return self._lines.at("Resources", owner, *rest, made_by=made_by or owner or logical_id)

    def _own(self, logical_id: str, path: Path) -> Source:
        """A part of a resource that has the same name before and after."""
        if path[:2] == ("Properties", "Policy") and not self._has(logical_id, path[:2]):
            path = ("Properties", "Auth", "ResourcePolicy")
        if path[:2] == ("Properties", "Body") and not self._has(logical_id, path[:2]):
            if "x-amazon-apigateway-policy" in path:
                path = ("Properties", "Auth", "ResourcePolicy")
                return self._lines.at("Resources", logical_id, *path, made_by=".".join(path[1:]))
            path = ("Properties", "DefinitionBody", *path[2:])
        return self._lines.at("Resources", logical_id, *path)

    def _has(self, logical_id: str, path: Path) -> bool:
        return self._lines.has("Resources", logical_id, *path)

    def _owner(self, logical_id: str) -> str:
        """The longest name among SAM's resources that it begins with."""
        names = (logical_id[:length] for length in range(len(logical_id), 0, -1))
        return next((name for name in names if self._is_sams(name)), "")

    def _is_sams(self, name: str) -> bool:
        resource = self._written.get(name, {})
        return str(resource.get("Type")).startswith("AWS::Serverless::")

    def _route(self, logical_id: str, path: Path) -> Source | None:
        """The function's event that made a route."""
        if path[:3] != ("Properties", "Body", "paths") or len(path) != 5:  # noqa: PLR2004
            return None
        for body in ("Body", "DefinitionBody"):
            if self._has(logical_id, ("Properties", body, *path[2:])):
                return self._lines.at("Resources", logical_id, "Properties", body, *path[2:])
        method = "ANY" if path[4] == ANY_METHOD else str(path[4]).upper()
        return self._events.get((logical_id, method, str(path[3])))

    @cached_property
    def _events(self) -> Mapping[tuple[str, str, str], Source]:
        """The places of the events that SAM makes routes of: API, method, path."""
        found: dict[tuple[str, str, str], Source] = {}
        for logical_id, resource in self._written.items():
            events = resource.get("Properties", {}).get("Events")
            for name, event in events.items() if isinstance(events, Mapping) else ():
                key = _route_of(event)
                if key is not None:
                    at = ("Resources", logical_id, "Properties", "Events", name)
                    found.setdefault(key, self._lines.at(*at, made_by=f"Events.{name}"))
        return found


def _route_of(event: Json) -> tuple[str, str, str] | None:
    """The API, method and path of an event, with SAM's defaults."""
    if not isinstance(event, Mapping) or event.get("Type") not in ("Api", "HttpApi"):
        return None
    rest = event["Type"] == "Api"
    properties = event.get("Properties")
    properties = properties if isinstance(properties, Mapping) else {}
    reference = properties.get("RestApiId" if rest else "ApiId")
    api = reference.get("Ref") if isinstance(reference, Mapping) else reference
    implicit = "ServerlessRestApi" if rest else "ServerlessHttpApi"
    method = str(properties.get("Method", "any")).upper()
    path = str(properties.get("Path", "$default"))
    return str(api or implicit), "ANY" if method in ("ANY", "*") else method, path


def _number(resource: Mapping[str, Json], path: Path) -> int:
    """Which of a function's policies SAM made one of; it counts them in the policy's name."""
    try:
        name = str(resource["Properties"]["Policies"][path[2]]["PolicyName"])
    except (LookupError, TypeError):
        return 0
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits) if digits else 0


def _written(value: Json, path: Path) -> Source | None:
    """The place of the statement that a path leads to or into."""
    for part in path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return None
        if isinstance(value, Written):
            return value.source
    return None
