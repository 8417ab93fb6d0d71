"""The ways to functions and APIs that are no routes of REST or HTTP APIs: named, not decided."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from backstairs.access.conditions import Context
from backstairs.access.policy import Caller, Request
from backstairs.template.apis import HTTP_API, REST_API, STAGES, is_websocket
from backstairs.template.http_api import ROUTE, target_function
from backstairs.template.model import OtherWay

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from backstairs.template.model import DeclaredFunction, DeclaredPrincipal
    from backstairs.template.resources import Resources

Json = Any
_FUNCTION = "AWS::Lambda::Function"
_INVOKE = "lambda:InvokeFunction"
_CALL = "execute-api:Invoke"
_SERVICE = re.compile(r"\.amazonaws\.com(\.cn)?$")
_FEDERATED = frozenset({"cognito-identity.amazonaws.com"})
_GATEWAY = "apigateway.amazonaws.com"
_DOMAINS = {
    "AWS::ApiGateway::BasePathMapping": "RestApiId",
    "AWS::ApiGateway::BasePathMappingV2": "RestApiId",
    "AWS::ApiGatewayV2::ApiMapping": "ApiId",
}


def read_other_ways(resources: Resources) -> tuple[OtherWay, ...]:
    """WebSocket APIs, function URLs, web functions, permissions to invoke, custom domains."""
    ways = (_websockets, _urls, _web_functions, _permissions, _domains, _graphql, _without_stage)
    return tuple(way for read in ways for way in read(resources))


def grants_to_invoke(
    principals: Iterable[DeclaredPrincipal], functions: Iterable[DeclaredFunction]
) -> Iterator[OtherWay]:
    """Who may, or may perhaps, invoke a function itself by an Allow of its own policies."""
    functions = list(functions)
    for one in principals:
        for policy in one.principal.policies:
            if all(statement.has_action(_INVOKE) is False for statement in policy.statements):
                continue
            for function in functions:
                for match in policy.matching(_invocation(function.arn)):
                    if match.statement.effect == "Allow":
                        may = "may" if match.truth else "may or may not"
                        says = f"{one.name} {may} invoke {function.name}, by {match.named}"
                        source = match.statement.source or one.source
                        yield OtherWay(one.name, _INVOKE, function.name, says, source)


def roles_to_assume(principals: Iterable[DeclaredPrincipal]) -> Iterator[OtherWay]:
    """Who may become a role that may call APIs, by its trust policy: they then call as it.

    Services are not among them. Whatever an account's own policies say is not weighed, nor are the
    trust's conditions. Source: IAM User Guide, "Cross account resource access in IAM".
    """
    for one in principals:
        others = [who for who in one.trusted if not _SERVICE.search(who) or who in _FEDERATED]
        if others and any(
            statement.effect == "Allow" and statement.has_action(_CALL) is not False
            for policy in one.principal.policies
            for statement in policy.statements
        ):
            says = f"{', '.join(others)} may assume {one.name}, and call what it may call"
            yield OtherWay(one.name, "sts:AssumeRole", None, says, one.source)


def _invocation(function: str) -> Request:
    """An invocation of which nothing else is known."""
    return Request(_INVOKE, function, Caller(), Context({}))


def function_named(resources: Resources, reference: object) -> str | None:
    """The function that a name or ARN, with a version or an alias or without, stands for."""
    if not isinstance(reference, str):
        return None
    parts = reference.split(":")
    unqualified = ":".join(parts[:7]) if reference.startswith("arn:") else parts[0]
    return resources.named(_FUNCTION, unqualified)


def _websockets(resources: Resources) -> Iterator[OtherWay]:
    apis = {
        resources.ref(name): name
        for name, properties in resources.of_type(HTTP_API)
        if is_websocket(properties)
    }
    bare = dict(apis)
    for name, properties in resources.of_type(ROUTE):
        api_id = properties.get("ApiId")
        if not isinstance(api_id, str) or api_id not in apis:
            continue
        bare.pop(api_id, None)
        key = properties.get("RouteKey")
        authorization = properties.get("AuthorizationType", "NONE")
        says = f"{key} of {apis[api_id]}, authorization {authorization}"
        function = function_named(resources, target_function(resources, properties))
        yield OtherWay(name, "WebSocket API", function, says, resources.source(name, ()))
    for name in bare.values():
        says = "none of its routes is declared here"
        yield OtherWay(name, "WebSocket API", None, says, resources.source(name, ()))


def _urls(resources: Resources) -> Iterator[OtherWay]:
    for name, properties in resources.of_type("AWS::Lambda::Url"):
        function = function_named(resources, properties.get("TargetFunctionArn"))
        says = f"answers at a URL of its own, authorization {properties.get('AuthType')}"
        yield OtherWay(name, "function URL", function, says, resources.source(name, ()))


def _web_functions(resources: Resources) -> Iterator[OtherWay]:
    for name, properties in resources.of_type("AWS::Lambda::WebFunctionEndpoint"):
        kind, authorization = properties.get("EndpointType"), properties.get("AuthType")
        says = f"answers at an endpoint of its own, type {kind}, authorization {authorization}"
        yield OtherWay(name, "web function", None, says, resources.source(name, ()))


def _graphql(resources: Resources) -> Iterator[OtherWay]:
    for name, properties in resources.of_type("AWS::AppSync::GraphQLApi"):
        says = f"answers queries, authorization {properties.get('AuthenticationType')}"
        yield OtherWay(name, "GraphQL API", None, says, resources.source(name, ()))


def _without_stage(resources: Resources) -> Iterator[OtherWay]:
    staged = [
        properties.get(key)
        for kind, key in STAGES.items()
        for _, properties in resources.of_type(kind)
        if "Deployment" not in kind or "StageName" in properties
    ]
    for name, properties in resources.of_type(REST_API, HTTP_API):
        if "Target" not in properties and resources.ref(name) not in staged:
            says = "no stage of it is declared here: it answers nothing, or by one made elsewhere"
            yield OtherWay(name, "API without a stage", None, says, resources.source(name, ()))


def _domains(resources: Resources) -> Iterator[OtherWay]:
    for name, properties in resources.of_type(*_DOMAINS):
        kind = resources.by_name[name]["Type"]
        api, domain = properties.get(_DOMAINS[kind]), properties.get("DomainName")
        says = f"{domain} leads to {api}, stage {properties.get('Stage', 'in the path')}"
        yield OtherWay(name, "custom domain", None, says, resources.source(name, ()))


def _permissions(resources: Resources) -> Iterator[OtherWay]:
    """Who else may invoke a function, by the function's own policy."""
    for name, properties in resources.of_type("AWS::Lambda::Permission"):
        if _is_for_an_api_here(resources, properties):
            continue
        function = function_named(resources, properties.get("FunctionName"))
        bounds = [
            f"{key} {properties[key]}"
            for key in ("SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken")
            if key in properties
        ]
        source = ", ".join(bounds) or "whatever the source"
        says = f"{properties.get('Principal')} may {properties.get('Action')}: {source}"
        kind = str(properties.get("Action", "lambda:InvokeFunction"))
        yield OtherWay(name, kind, function, says, resources.source(name, ()))


def _is_for_an_api_here(resources: Resources, properties: Mapping[str, Json]) -> bool:
    """Whether it lets in calls that are routes of these APIs, or their authorizers."""
    source = str(properties.get("SourceArn"))
    if properties.get("Principal") != _GATEWAY or ":execute-api:" not in source:
        return False
    api_id = source.split(":", 5)[-1].partition("/")[0]
    return any(resources.named(kind, api_id) for kind in ("AWS::ApiGateway::RestApi", HTTP_API))
