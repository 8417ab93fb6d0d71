"""The routes of an HTTP API that are resources of their own, and the one of quick create."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backstairs.access import Authorization, Route, Source, Unresolved
from backstairs.template.model import NotRead
from backstairs.template.openapi import DEFAULT, authorization_named, function_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.template.resources import Resources

API, ROUTE = "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Route"
_INTEGRATION = "AWS::ApiGatewayV2::Integration"


def read_routes(resources: Resources, api: str) -> tuple[dict[Route, Source], list[NotRead]]:
    """The routes that `AWS::ApiGatewayV2::Route` adds to an API, and those not read."""
    api_id, found, not_read = resources.ref(api), {}, []
    for name, properties in resources.of_type(ROUTE):
        if properties.get("ApiId") != api_id:
            continue
        key = properties.get("RouteKey")
        method, _, path = str(key).partition(" ")
        if isinstance(key, Unresolved) or not (path or key == DEFAULT):
            why = f"its route key is not known: {key}"
            not_read.append(NotRead(name, why, resources.source(name, ())))
            continue
        route = Route(
            method=method.upper() if path else "ANY",
            path=path.strip() or DEFAULT,
            authorization=authorization_named(properties.get("AuthorizationType")),
            function=target_function(resources, properties),
        )
        found[route] = resources.source(name, ())
    return {**_quick_created(resources, api), **found}, not_read


def _quick_created(resources: Resources, api: str) -> dict[Route, Source]:
    """The route that an API with a `Target` has; it asks for nobody's identity."""
    properties: Mapping[str, Any] = resources.by_name[api].get("Properties", {})
    if "Target" not in properties:
        return {}
    method, _, path = str(properties.get("RouteKey", DEFAULT)).partition(" ")
    function = function_of(properties["Target"])
    route = Route(method if path else "ANY", path or DEFAULT, Authorization.NONE, function)
    return {route: resources.source(api, ("Properties", "Target"))}


def target_function(resources: Resources, route: Mapping[str, Any]) -> str | None:
    """The ARN of the function behind a route, by its integration."""
    target = route.get("Target")
    if not isinstance(target, str):
        return None
    name = resources.named(_INTEGRATION, target.removeprefix("integrations/"))
    integration = resources.by_name[name].get("Properties", {}) if name else {}
    return function_of(integration.get("IntegrationUri"))
