"""The REST APIs of a translated and resolved template, as the decision sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backstairs.access import Api, Authorization, Policy, Route, Unresolved, parse_policy
from backstairs.template import TemplateError

if TYPE_CHECKING:
    from backstairs.template import Resolver

POLICY = "x-amazon-apigateway-policy"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_ANY = "x-amazon-apigateway-any-method"
_AUTHORIZATIONS = {
    "awsSigv4": Authorization.AWS_IAM,
    "cognito_user_pools": Authorization.COGNITO_USER_POOLS,
    "custom": Authorization.CUSTOM,
}


def find_apis(
    template: Mapping[str, Any], resolver: Resolver, *, name: str, account: str, region: str
) -> list[Api]:
    """The deployed REST APIs of a translated template, one for each stage.

    `name` is what errors call the template. Raises TemplateError where an API cannot be read.
    """
    resources = {
        logical_id: resource
        for logical_id, resource in template["Resources"].items()
        if resolver.exists(resource) is not False
    }
    apis = []
    for stage_resource in resources.values():
        if stage_resource["Type"] != "AWS::ApiGateway::Stage":
            continue
        stage = stage_resource["Properties"]
        logical_id = stage.get("RestApiId", {}).get("Ref")
        if logical_id not in resources:
            raise TemplateError(
                f"{name}: a stage's RestApiId {stage.get('RestApiId')} is no API here"
            )
        rest_api = resources[logical_id]["Properties"]
        where = f"{name}: {logical_id}"
        api_id, stage_name = (
            _known_text(resolver.resolve(value), where, what)
            for value, what in (
                ({"Ref": logical_id}, "its id"),
                (stage.get("StageName"), "its stage's name"),
            )
        )
        types = resolver.resolve(rest_api.get("EndpointConfiguration", {}).get("Types", ["EDGE"]))
        if isinstance(types, Unresolved) or any(isinstance(kind, Unresolved) for kind in types):
            raise TemplateError(f"{where}: EndpointConfiguration: {types}")
        body = resolver.resolve(rest_api.get("Body"))
        if not isinstance(body, Mapping):
            raise TemplateError(f"{where}: its definition (Body) cannot be read: {body}")
        policy = body.get(POLICY, resolver.resolve(rest_api.get("Policy")))
        apis.append(
            Api(
                api_id=api_id,
                name=logical_id,
                stage=stage_name,
                region=region,
                account=account,
                private=types == ["PRIVATE"],
                policy=resource_policy(logical_id, policy),
                routes=read_routes(body, where),
            )
        )
    return apis


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
    schemes = body.get("components", {}).get("securitySchemes") or body.get(
        "securityDefinitions", {}
    )
    routes = []
    for path, item in body.get("paths", {}).items():
        if not isinstance(item, Mapping):
            raise TemplateError(f"{where}: path {path} cannot be read: {item}")
        for verb, method in item.items():
            if verb.lower() not in _METHODS and verb != _ANY:
                continue
            if not isinstance(method, Mapping):
                raise TemplateError(f"{where}: {verb} {path} cannot be read: {method}")
            integration = method.get("x-amazon-apigateway-integration", {})
            routes.append(
                Route(
                    method="ANY" if verb == _ANY else verb.upper(),
                    path=path,
                    authorization=_authorization(
                        method.get("security", body.get("security", [])), schemes
                    ),
                    function=_function(integration.get("uri")),
                )
            )
    return tuple(routes)


def _authorization(security: object, schemes: Mapping[str, Any]) -> Authorization:
    """The authorization type; what is not understood is CUSTOM, which nobody decides for."""
    if not isinstance(security, list):
        return Authorization.CUSTOM
    for requirement in security:
        if not isinstance(requirement, Mapping):
            return Authorization.CUSTOM
        for scheme in requirement:
            if scheme not in ("NONE", "api_key"):
                kind = schemes.get(scheme, {}).get("x-amazon-apigateway-authtype")
                return _AUTHORIZATIONS.get(kind, Authorization.CUSTOM)
    return Authorization.NONE


def _function(uri: object) -> str | None:
    """The function's ARN out of a Lambda proxy integration's URI."""
    if not isinstance(uri, str) or "/functions/" not in uri:
        return None
    return uri.partition("/functions/")[2].removesuffix("/invocations")
