"""The APIs of a translated and resolved template, as the decision sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backstairs.access import Api, Authorization, Kind, Policy, Route, Unresolved, parse_policy
from backstairs.template.load import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.template.intrinsics import Resolver

POLICY = "x-amazon-apigateway-policy"
BINARY = "x-amazon-apigateway-binary-media-types"
_ENDPOINT = "x-amazon-apigateway-endpoint-configuration"
KEY_SOURCE = "x-amazon-apigateway-api-key-source"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
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

# A stage's type: the property that names its API, and the API's own type.
_STAGES = {
    "AWS::ApiGateway::Stage": ("RestApiId", "AWS::ApiGateway::RestApi"),
    "AWS::ApiGatewayV2::Stage": ("ApiId", "AWS::ApiGatewayV2::Api"),
}


def find_apis(
    template: Mapping[str, Any], resolver: Resolver, *, name: str, account: str, region: str
) -> list[Api]:
    """The deployed REST and HTTP APIs of a translated template, one for each stage.

    `name` is what errors call the template. Raises TemplateError where an API cannot be read.
    """
    resources = {
        logical_id: resource
        for logical_id, resource in template["Resources"].items()
        if resolver.exists(resource) is not False
    }
    apis = []
    for stage_id, resource in resources.items():
        if resource["Type"] not in _STAGES:
            continue
        api_property, api_type = _STAGES[resource["Type"]]
        stage = resource.get("Properties", {})
        reference = stage.get(api_property)
        logical_id = str(_mapping(reference).get("Ref"))
        if resources.get(logical_id, {}).get("Type") != api_type:
            raise TemplateError(f"{name}: {stage_id}: {api_property} {reference} is no API here")
        where = f"{name}: {logical_id}"
        properties = resolver.resolve(resources[logical_id].get("Properties", {}))
        api_id, stage_name = (
            _known_text(resolver.resolve(value), where, what)
            for value, what in (
                ({"Ref": logical_id}, "its id"),
                (stage.get("StageName"), "its stage's name"),
            )
        )
        body = properties.get("Body")
        if not isinstance(body, Mapping):
            raise TemplateError(f"{where}: its definition (Body) cannot be read: {body}")
        # An HTTP API is always public and has no resource policy.
        rest = api_type == "AWS::ApiGateway::RestApi"
        policy = resource_policy(logical_id, policy_document(properties, body)) if rest else None
        apis.append(
            Api(
                api_id=api_id,
                name=logical_id,
                stage=stage_name,
                region=region,
                account=account,
                private=rest and endpoint_types(properties, where) == ["PRIVATE"],
                policy=policy,
                routes=read_routes(body, where),
                kind=Kind.REST if rest else Kind.HTTP,
                key_source=key_source(properties, body) if rest else "HEADER",
                default_endpoint=default_endpoint(properties, body),
            )
        )
    return apis


def endpoint_types(properties: Mapping[str, Any], where: str) -> list[str]:
    """`PRIVATE`, `REGIONAL` or `EDGE`. Raises TemplateError for what cannot be read."""
    configuration = properties.get("EndpointConfiguration", {})
    types = configuration.get("Types") if isinstance(configuration, Mapping) else configuration
    if types is None:
        types = [_mapping(properties.get("Parameters")).get("endpointConfigurationTypes", "EDGE")]
    if not isinstance(types, list) or not all(isinstance(kind, str) for kind in types):
        raise TemplateError(f"{where}: EndpointConfiguration: {types}")
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


def _known_text(value: object, where: str, what: str) -> str:
    if not isinstance(value, str):
        raise TemplateError(f"{where}: {what} is not known: {value}")
    return value


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


def read_methods(body: Mapping[str, Any], where: str) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    """The methods likewise, each with its integration as the definition declares it."""
    paths = body.get("paths", {})
    if not isinstance(paths, Mapping):
        raise TemplateError(f"{where}: its paths cannot be read: {paths}")
    schemes = _mapping(body.get("components")).get("securitySchemes")
    schemes = _mapping(schemes or body.get("securityDefinitions"))
    for path, item in paths.items():
        if not isinstance(item, Mapping):
            raise TemplateError(f"{where}: path {path} cannot be read: {item}")
        for verb, method in item.items():
            if verb.lower() not in METHODS and verb != ANY_METHOD:
                continue
            if not isinstance(method, Mapping):
                raise TemplateError(f"{where}: {verb} {path} cannot be read: {method}")
            security = method.get("security", body.get("security", []))
            authorization, needs_key = _authorization(security, schemes, method.get(_AUTH))
            integration = _mapping(method.get("x-amazon-apigateway-integration"))
            route = Route(
                method="ANY" if verb == ANY_METHOD else verb.upper(),
                path=path,
                authorization=authorization,
                function=function_of(integration.get("uri")),
                needs_key=needs_key,
            )
            yield route, integration


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


def _is_key(scheme: Mapping[str, Any]) -> bool:
    return str(scheme.get("name")).lower() == "x-api-key" and _AUTH_TYPE not in scheme


def function_of(uri: object) -> str | None:
    """The function's ARN out of a Lambda proxy integration's URI."""
    if not isinstance(uri, str) or "/functions/" not in uri:
        return None
    return uri.partition("/functions/")[2].removesuffix("/invocations")
