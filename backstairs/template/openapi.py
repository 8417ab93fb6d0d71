"""What an OpenAPI definition with API Gateway's extensions says, as the decision sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backstairs.access import Authorization, Policy, Route, Unresolved, parse_policy
from backstairs.template.load import TemplateError

POLICY = "x-amazon-apigateway-policy"
BINARY = "x-amazon-apigateway-binary-media-types"
_ENDPOINT = "x-amazon-apigateway-endpoint-configuration"
KEY_SOURCE = "x-amazon-apigateway-api-key-source"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
# What OpenAPI has beside them in a path.
_NO_METHODS = ("description", "parameters", "servers", "summary")
ANY_METHOD = "x-amazon-apigateway-any-method"
DEFAULT = "$default"
_INTEGRATION = (
    "payloadFormatVersion",
    "timeoutInMillis",
    "connectionType",
    "connectionId",
    "requestParameters",
    "responseParameters",
)
_AUTH = "x-amazon-apigateway-auth"
_AUTH_TYPE = "x-amazon-apigateway-authtype"
_AUTHORIZATIONS: Mapping[object, Authorization] = {
    "awsSigv4": Authorization.AWS_IAM,
    "cognito_user_pools": Authorization.COGNITO_USER_POOLS,
    "custom": Authorization.CUSTOM,
}
_BY_NAME: Mapping[object, Authorization] = {kind.value: kind for kind in Authorization}


_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}


def endpoint_types(properties: Mapping[str, Any]) -> list[str]:
    """`PRIVATE`, `REGIONAL` or `EDGE`. Raises TemplateError for what cannot be read."""
    configuration = properties.get("EndpointConfiguration", {})
    types = configuration.get("Types") if isinstance(configuration, Mapping) else configuration
    if types is None:
        types = [_mapping(properties.get("Parameters")).get("endpointConfigurationTypes", "EDGE")]
    if not isinstance(types, list) or not all(isinstance(kind, str) for kind in types):
        raise TemplateError(f"EndpointConfiguration: {types}")
    return types


def policy_document(properties: Mapping[str, Any], body: Mapping[str, Any]) -> object:
    """A REST API's resource policy, by property or definition; None where it has none."""
    if POLICY in body and "Policy" in properties:
        return Unresolved(f"both Policy and {POLICY}: which of them holds is not known")
    return body.get(POLICY, properties.get("Policy"))


def key_source(properties: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """HEADER unless something else is said; what is not known is neither HEADER nor decided."""
    return str(properties.get("ApiKeySourceType", body.get(KEY_SOURCE, "HEADER")))


def default_endpoint(properties: Mapping[str, Any], body: Mapping[str, Any]) -> bool | None:
    """Whether an API answers to its execute-api names; None where that is not known.

    Said by `DisableExecuteApiEndpoint`, or by the definition, in OpenAPI 3 of one of its servers
    ("Disable the default endpoint for REST APIs", "x-amazon-apigateway-endpoint-configuration");
    where one of them disables it, it is disabled.
    """
    servers = body.get("servers", [])
    places = [body, *(servers if isinstance(servers, list) else [servers])]
    extensions = [one.get(_ENDPOINT, {}) if isinstance(one, Mapping) else None for one in places]
    values = [properties.get("DisableExecuteApiEndpoint", False)]
    for one in extensions:
        found = {"disableExecuteApiEndpoint": False} | dict(one) if isinstance(one, Mapping) else {}
        values.append(found.get("disableExecuteApiEndpoint"))
    said = [_BOOLEANS.get(str(one).lower()) for one in values]
    if True in said:
        return False
    return None if None in said else True


def resource_policy(api_name: str, document: object) -> Policy | None:
    """The resource policy of an API; None where it has none."""
    if document is None:
        return None
    return parse_policy(f"{api_name}'s resource policy", document, resource_based=True)


def read_routes(body: Mapping[str, Any], where: str) -> tuple[Route, ...]:
    """The methods of an OpenAPI definition with API Gateway's extensions.

    `where` is what errors call it. Raises TemplateError for what cannot be read.
    """
    return tuple(route for route, _ in read_methods(body, where))


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """A route of an HTTP API's definition, and the integration it declares.

    `integration` has the names of `CreateIntegration`. Its `payloadFormatVersion` is "1.0" where
    the definition has none ("Working with AWS Lambda proxy integrations for HTTP APIs" asks for
    one).
    """

    route: Route
    integration: Mapping[str, Any]

    @property
    def key(self) -> str:
        """`POST /webhooks/github`, or `$default`."""
        return route_key(self.route)


def read_http_routes(body: Mapping[str, Any], where: str) -> tuple[HttpRoute, ...]:
    """The routes of an HTTP API's OpenAPI definition, likewise."""
    routes = []
    for route, integration in read_methods(body, where):
        declared = {name: integration[name] for name in _INTEGRATION if name in integration}
        kind = str(integration.get("type", "")).upper()
        defaults = {"integrationType": kind, "integrationUri": integration.get("uri")}
        routes.append(HttpRoute(route, {"payloadFormatVersion": "1.0", **defaults, **declared}))
    return tuple(routes)


def route_key(route: Route) -> str:
    """A route of an HTTP API as API Gateway names it."""
    return DEFAULT if route.path == DEFAULT else f"{route.method} {route.path}"


Methods = list[tuple[Route, Mapping[str, Any]]]


def read_methods(body: Mapping[str, Any], where: str) -> Methods:
    """The methods likewise, each with its integration as the definition declares it."""
    methods, problems = read_definition(body)
    for problem in problems:
        raise TemplateError(f"{where}: {problem}")
    return methods


def read_definition(body: Mapping[str, Any]) -> tuple[Methods, list[str]]:
    """The methods of a definition with their integrations, and what of it cannot be read."""
    paths, methods, problems = body.get("paths", {}), [], []
    schemes = _mapping(body.get("components")).get("securitySchemes")
    schemes = _mapping(schemes or body.get("securityDefinitions"))
    if not isinstance(paths, Mapping):
        return [], [f"its paths cannot be read: {paths}"]
    for path, item in paths.items():
        if not isinstance(item, Mapping):
            problems.append(f"path {path} cannot be read: {item}")
            continue
        for verb, method in item.items():
            if verb.lower() not in METHODS and verb != ANY_METHOD:
                if verb not in _NO_METHODS and not verb.startswith("x-"):
                    problems.append(f"path {path}: {verb} is no method of API Gateway's")
            elif isinstance(method, Mapping):
                security = method.get("security", body.get("security", []))
                methods.append(_method(verb, path, method, security, schemes))
            else:
                problems.append(f"{verb} {path} cannot be read: {method}")
    return methods, problems


def _method(
    verb: str, path: str, method: Mapping[str, Any], security: object, schemes: Mapping[str, Any]
) -> tuple[Route, Mapping[str, Any]]:
    authorization, needs_key = _authorization(security, schemes, method.get(_AUTH))
    integration = _mapping(method.get("x-amazon-apigateway-integration"))
    route = Route(
        method="ANY" if verb == ANY_METHOD else verb.upper(),
        path=path,
        authorization=authorization,
        function=function_of(integration.get("uri")),
        needs_key=needs_key,
    )
    return route, integration


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _authorization(
    security: object, schemes: Mapping[str, Any], own: object
) -> tuple[Authorization, bool]:
    """The authorization type, and whether an API key is asked for as well.

    `own` is the method's `x-amazon-apigateway-auth`. What is not understood, or says two things,
    is CUSTOM, which nobody decides for.
    """
    if not isinstance(security, list) or not all(isinstance(one, Mapping) for one in security):
        return Authorization.CUSTOM, False
    names = {name for requirement in security for name in requirement} - {"NONE"}
    keys = {name for name in names if name == "api_key" or _is_key(_mapping(schemes.get(name)))}
    kinds = {
        _AUTHORIZATIONS.get(_mapping(schemes.get(name)).get(_AUTH_TYPE), Authorization.CUSTOM)
        for name in names - keys
    }
    if own is not None:
        kinds.add(_BY_NAME.get(_mapping(own).get("type"), Authorization.CUSTOM))
    if len(kinds) > 1:
        return Authorization.CUSTOM, bool(keys)
    return next(iter(kinds), Authorization.NONE), bool(keys)


def authorization_named(kind: object) -> Authorization:
    """By the name that a method or route gives; what is not known is decided by nobody."""
    return _BY_NAME.get("NONE" if kind is None else kind, Authorization.CUSTOM)


def _is_key(scheme: Mapping[str, Any]) -> bool:
    return str(scheme.get("name")).lower() == "x-api-key" and _AUTH_TYPE not in scheme


def function_of(uri: object) -> str | None:
    """The function's ARN out of a Lambda proxy integration's URI, or as it is."""
    if not isinstance(uri, str):
        return None
    if "/functions/" in uri:
        return uri.partition("/functions/")[2].removesuffix("/invocations")
    return uri if uri.startswith("arn:") and ":function:" in uri else None
