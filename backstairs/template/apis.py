"""The APIs that a stack deploys, one for each stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backstairs.access import Api, Kind, Policy, Route, Source, parse_policy
from backstairs.template.load import TemplateError
from backstairs.template.model import DeclaredApi, NotRead
from backstairs.template.openapi import (
    ANY_METHOD,
    POLICY,
    default_endpoint,
    endpoint_types,
    key_source,
    policy_document,
    read_methods,
)

if TYPE_CHECKING:
    from backstairs.template.resources import Resources

Json = Any
_STAGES = {
    "AWS::ApiGateway::Stage": "RestApiId",
    "AWS::ApiGateway::Deployment": "RestApiId",
    "AWS::ApiGatewayV2::Stage": "ApiId",
}
_KINDS = {"AWS::ApiGateway::RestApi": Kind.REST, "AWS::ApiGatewayV2::Api": Kind.HTTP}


def read_apis(resources: Resources) -> tuple[tuple[DeclaredApi, ...], tuple[NotRead, ...]]:
    """The REST and HTTP APIs, one for each stage, and what of them was not read."""
    declared, not_read = [], []
    for name, stage in resources.of_type(*_STAGES):
        kind = resources.by_name[name]["Type"]
        if kind == "AWS::ApiGateway::Deployment" and "StageName" not in stage:
            continue
        api_id = stage.get(_STAGES[kind])
        api = _api_of(resources, api_id)
        if api is None:
            why = f"its API is none of this template: {api_id}"
            not_read.append(NotRead(name, why, resources.source(name, ())))
            continue
        try:
            declared.append(_api(resources, api, stage.get("StageName")))
        except TemplateError as error:
            not_read.append(NotRead(api, str(error), resources.source(api, ())))
    return tuple(declared), tuple(not_read)


def _api_of(resources: Resources, api_id: object) -> str | None:
    return next(filter(None, (resources.named(kind, api_id) for kind in _KINDS)), None)


def _api(resources: Resources, name: str, stage: object) -> DeclaredApi:
    """One API with one stage. Raises TemplateError."""
    if not isinstance(stage, str):
        raise TemplateError(f"the name of its stage is not known: {stage}")
    resource = resources.by_name[name]
    kind, properties = _KINDS[resource["Type"]], resource["Properties"]
    rest = kind is Kind.REST
    body = properties.get("Body")
    if not isinstance(body, Mapping):
        raise TemplateError(f"its definition (Body) cannot be read: {body}")
    routes = [route for route, _ in read_methods(body, name)]
    api = Api(
        api_id=str(resources.ref(name)),
        name=name,
        stage=stage,
        region=resources.region,
        account=resources.account,
        private=rest and endpoint_types(properties, name) == ["PRIVATE"],
        policy=_policy(resources, name, properties, body) if rest else None,
        routes=tuple(routes),
        partition=resources.partition,
        kind=kind,
        key_source=key_source(properties, body) if rest else "HEADER",
        default_endpoint=default_endpoint(properties, body),
    )
    sources = {route: _route_source(resources, name, route) for route in routes}
    return DeclaredApi(name, api, resources.source(name, ()), sources)


def _policy(
    resources: Resources, name: str, properties: Mapping[str, Json], body: Mapping[str, Json]
) -> Policy | None:
    """The resource policy of a REST API; None where it has none."""
    document = policy_document(properties, body)
    if document is None:
        return None
    path = ("Body", POLICY) if POLICY in body else ("Policy",)
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    count = len(statements) if isinstance(statements, list) else 1
    return parse_policy(
        f"{name}'s resource policy",
        document,
        resource_based=True,
        sources=[
            resources.source(name, ("Properties", *path, "Statement", index))
            for index in range(count)
        ],
    )


def _route_source(resources: Resources, name: str, route: Route) -> Source:
    verb = ANY_METHOD if route.method == "ANY" else route.method.lower()
    return resources.source(name, ("Properties", "Body", "paths", route.path, verb))
