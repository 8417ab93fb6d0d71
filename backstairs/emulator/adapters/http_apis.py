"""HTTP APIs out of an OpenAPI definition, with their stages' settings."""

from __future__ import annotations

from typing import Any

from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

from backstairs.emulator import notices
from backstairs.template.openapi import HttpRoute, default_endpoint, read_http_routes

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]

_API, _STAGE = "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"
# Whoever may call an API must not be decided without these.
_REFUSED = ("BodyS3Location", "BasePath")
_CORS = "x-amazon-apigateway-cors"


def import_http_apis() -> None:
    """Import `Body` of an HTTP API, and keep its stages' throttles.

    MiniStack: ignores `Body`, so that the API has no routes and the definition's title is not its
    name; of `DefaultRouteSettings` and `RouteSettings` shows nothing.
    AWS: makes routes and integrations of it (`ImportApi`, `ReimportApi`, "Use OpenAPI definitions
    for HTTP APIs"); `GetStage` shows the settings.
    """
    handlers = provisioners._RESOURCE_HANDLERS[_API]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, properties: Json, stack_name: str) -> Result:
        routes = _read(logical_id, properties)
        result: Result = create(logical_id, _described(properties), stack_name)
        _replace(result[0], routes)
        return result

    def updated(
        api_id: str, old: Json, new: Json, stack_name: str, logical_id: str | None = None
    ) -> Result:
        routes = _read(logical_id or api_id, new)
        result: Result = update(api_id, old, _described(new), stack_name, logical_id)
        if routes or isinstance(old.get("Body"), dict):
            _replace(result[0], routes)
        return result

    handlers.update(create=created, update=updated)
    _keep_route_settings()


def _read(name: str, properties: Json) -> tuple[HttpRoute, ...]:
    for refused in _REFUSED:
        if properties.get(refused):
            raise ValueError(f"MiniStack cannot apply {refused} of {_API}")
    body = properties.get("Body")
    if not isinstance(body, dict):
        return ()
    if body.get(_CORS) or properties.get("CorsConfiguration"):
        notices.note(f"{name} ({_API}): CORS has no effect here")
    return read_http_routes(body, name)


def _described(properties: Json) -> Json:
    """With what the definition says of the API itself, where no property says it."""
    body = properties.get("Body")
    if not isinstance(body, dict):
        return properties
    described: Json = {"DisableExecuteApiEndpoint": default_endpoint(properties, body) is not True}
    name = properties.get("Name") or body.get("info", {}).get("title")
    if name:
        described["Name"] = name
    return {**properties, **described}


def _replace(api_id: str, routes: tuple[HttpRoute, ...]) -> None:
    apigateway._routes[api_id] = {}
    apigateway._integrations[api_id] = {}
    for one in routes:
        apigateway._create_integration(api_id, dict(one.integration))
        integration_id = next(reversed(apigateway._integrations[api_id]))
        route = {
            "routeKey": one.key,
            "target": f"integrations/{integration_id}",
            "authorizationType": one.route.authorization.value,
            "apiKeyRequired": one.route.needs_key,
        }
        apigateway._create_route(api_id, route)


def _keep_route_settings() -> None:
    properties_of = provisioners._apigw_v2_stage_props

    def kept(properties: Json) -> Json:
        routes = properties.get("RouteSettings") or {}
        return {
            **properties_of(properties),
            "defaultRouteSettings": _setting(properties.get("DefaultRouteSettings") or {}),
            "routeSettings": {key: _setting(value) for key, value in routes.items()},
        }

    provisioners._apigw_v2_stage_props = kept


def _setting(setting: Json) -> Json:
    read = {name[0].lower() + name[1:]: value for name, value in setting.items()}
    if "throttlingBurstLimit" in read:
        read["throttlingBurstLimit"] = int(read["throttlingBurstLimit"])
    if "throttlingRateLimit" in read:
        read["throttlingRateLimit"] = float(read["throttlingRateLimit"])
    return read
