"""The methods of a REST API that are resources of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backstairs.access import Route, Source, Unresolved
from backstairs.template.model import NotRead
from backstairs.template.openapi import authorization_named, function_of

if TYPE_CHECKING:
    from backstairs.template.resources import Resources

API, METHOD = "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Method"
_RESOURCE = "AWS::ApiGateway::Resource"
_DEPTH = 100


def read_routes(resources: Resources, api: str) -> tuple[dict[Route, Source], list[NotRead]]:
    """The routes that `AWS::ApiGateway::Method` adds to an API, and the methods not read."""
    api_id, found, not_read = resources.ref(api), {}, []
    for name, properties in resources.of_type(METHOD):
        if properties.get("RestApiId") != api_id:
            continue
        path = _path(resources, api, properties.get("ResourceId"))
        method = properties.get("HttpMethod")
        if not isinstance(path, str) or not isinstance(method, str):
            why = f"its method or path is not known: {method} {path}"
            not_read.append(NotRead(name, why, resources.source(name, ())))
            continue
        integration = properties.get("Integration")
        uri = integration.get("Uri") if isinstance(integration, Mapping) else None
        route = Route(
            method=method.upper(),
            path=path,
            authorization=authorization_named(properties.get("AuthorizationType")),
            function=function_of(uri),
            needs_key=str(properties.get("ApiKeyRequired", False)).lower() == "true",
        )
        found[route] = resources.source(name, ())
    return found, not_read


def _path(resources: Resources, api: str, resource_id: object) -> str | Unresolved:
    """The path of a resource, from the root on."""
    root, parts = resources.attribute(api, "RootResourceId"), list[str]()
    for _ in range(_DEPTH):
        if isinstance(resource_id, str) and resource_id == root:
            return "/" + "/".join(reversed(parts))
        name = resources.named(_RESOURCE, resource_id)
        if name is None:
            return Unresolved(f"resource {resource_id} is not in here")
        properties: Mapping[str, Any] = resources.by_name[name].get("Properties", {})
        part = properties.get("PathPart")
        if not isinstance(part, str):
            return Unresolved(f"PathPart of {name}: {part}")
        parts.append(part)
        resource_id = properties.get("ParentId")
    return Unresolved("a resource is below itself")
