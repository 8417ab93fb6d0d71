"""The APIs as they are deployed, read from the account by AWS's own APIs.

What a REST API serves is read as `GetExport` gives it: the definition and the resource policy of
the stage's deployment, so a change that was never deployed is not live here either.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backstairs.access import Api, Authorization, Kind, Route
from backstairs.account.client import pages
from backstairs.gateway.integrations.integration import Integration, read_integration
from backstairs.gateway.stage import Method, Stage
from backstairs.gateway.usage import Throttle, Throttles, throttle_of
from backstairs.gateway.validation import read_validators
from backstairs.template.openapi import (
    BINARY,
    KEY_SOURCE,
    POLICY,
    default_endpoint,
    function_of,
    read_methods,
    resource_policy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backstairs.account.client import Account


def deployed_stages(account: Account) -> list[Stage]:
    """Every stage of the account's APIs."""
    return [*_rest_stages(account), *_http_stages(account)]


def _rest_stages(account: Account) -> Iterator[Stage]:
    gateway = account.client("apigateway")
    for api in pages(gateway, "get_rest_apis", "items"):
        types = api.get("endpointConfiguration", {}).get("types", ["EDGE"])
        name = api.get("tags", {}).get("aws:cloudformation:logical-id", api["name"])
        for stage in gateway.get_stages(restApiId=api["id"])["item"]:
            export = gateway.get_export(
                restApiId=api["id"],
                stageName=stage["stageName"],
                exportType="oas30",
                parameters={"extensions": "apigateway"},
            )
            definition = json.loads(export["body"].read())
            methods = list(read_methods(definition, f"{name} ({api['id']})"))
            deployed = Api(
                api_id=api["id"],
                name=name,
                stage=stage["stageName"],
                region=account.region,
                account=account.account_id,
                private=types == ["PRIVATE"],
                policy=resource_policy(name, definition.get(POLICY)),
                routes=tuple(route for route, _ in methods),
                key_source=definition.get(KEY_SOURCE, "HEADER"),
                default_endpoint=default_endpoint(_disabled(api), definition),
            )
            validators = read_validators(definition)
            throttles = _stage_throttles(stage.get("methodSettings", {}))
            yield Stage(
                deployed,
                methods=tuple(
                    Method(
                        route,
                        validators.get((route.method, route.path)),
                        throttle_of(route, throttles),
                        read_integration(Kind.REST, integration),
                    )
                    for route, integration in methods
                ),
                binary_types=tuple(definition.get(BINARY, ())),
                deployment_id=stage["deploymentId"],
            )


def _disabled(api: Mapping[str, Any]) -> dict[str, Any]:
    """Said here without the capital letter that the template and HTTP APIs have."""
    return {"DisableExecuteApiEndpoint": api.get("disableExecuteApiEndpoint", False)}


def _http_stages(account: Account) -> Iterator[Stage]:
    """HTTP APIs: their routes are live at once where a stage deploys by itself."""
    gateway = account.client("apigatewayv2")
    for api in pages(gateway, "get_apis", "Items"):
        if api["ProtocolType"] != "HTTP":
            continue
        api_id = api["ApiId"]
        name = api.get("Tags", {}).get("aws:cloudformation:logical-id", api["Name"])
        integrations = {
            f"integrations/{one['IntegrationId']}": one
            for one in pages(gateway, "get_integrations", "Items", ApiId=api_id)
        }
        listed = list(pages(gateway, "get_routes", "Items", ApiId=api_id))
        routes = {one["RouteKey"]: _http_route(one, integrations) for one in listed}
        declared = {
            routes[one["RouteKey"]]: read_integration(
                Kind.HTTP, integrations.get(one.get("Target", ""), {})
            )
            for one in listed
        }
        for stage in pages(gateway, "get_stages", "Items", ApiId=api_id):
            throttles = _route_throttles(stage, routes)
            why = f"{name}'s stage {stage['StageName']} has no AutoDeploy: not modelled"
            unknown = None if stage.get("AutoDeploy") else Integration(why)
            deployed = Api(
                api_id=api_id,
                name=name,
                stage=stage["StageName"],
                region=account.region,
                account=account.account_id,
                private=False,
                policy=None,
                routes=tuple(routes.values()),
                kind=Kind.HTTP,
                default_endpoint=default_endpoint(api, {}),
            )
            methods = (
                Method(
                    route,
                    throttle=throttle_of(route, throttles),
                    integration=unknown or integration,
                )
                for route, integration in declared.items()
            )
            yield Stage(deployed, tuple(methods))


def _http_route(listed: Mapping[str, Any], integrations: Mapping[str, Any]) -> Route:
    method, _, path = listed["RouteKey"].partition(" ")
    kind = listed.get("AuthorizationType", "NONE")
    known = kind in Authorization.__members__
    return Route(
        method=method if path else "ANY",
        path=path or method,
        authorization=Authorization(kind) if known else Authorization.CUSTOM,
        function=function_of(integrations.get(listed.get("Target", ""), {}).get("IntegrationUri")),
        needs_key=listed.get("ApiKeyRequired", False),
    )


def _route_throttles(stage: Mapping[str, Any], routes: Mapping[str, Route]) -> Throttles:
    settings = {("*", "*"): stage.get("DefaultRouteSettings", {})}
    for key, setting in stage.get("RouteSettings", {}).items():
        if key in routes:
            settings[routes[key].method, routes[key].path] = setting
    read = {
        place: Throttle.read(one.get("ThrottlingRateLimit"), one.get("ThrottlingBurstLimit"))
        for place, one in settings.items()
    }
    return {place: throttle for place, throttle in read.items() if throttle is not None}


def _stage_throttles(method_settings: Mapping[str, Mapping[str, Any]]) -> Throttles:
    """The throttles of `methodSettings`, whose keys are `{resource path}/{method}` or `*/*`.

    The slashes of a path may be written `~1` (API Gateway API Reference, `UpdateStage`).
    """
    throttles = {}
    for key, setting in method_settings.items():
        path, _, method = key.rpartition("/")
        path = "/" + path.replace("~1", "/").lstrip("/")
        throttle = Throttle.read(
            setting.get("throttlingRateLimit"), setting.get("throttlingBurstLimit")
        )
        if throttle is not None:
            throttles[method, "*" if path == "/*" else path] = throttle
    return throttles
