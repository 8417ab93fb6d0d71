"""The APIs of a template as they are deployed, one for each stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backstairs.access import Api, Kind, Policy, Route, Source
from backstairs.template import http_api, rest_api
from backstairs.template.load import TemplateError
from backstairs.template.model import DeclaredApi, NotRead
from backstairs.template.openapi import (
    ANY_METHOD,
    POLICY,
    default_endpoint,
    endpoint_types,
    key_source,
    policy_document,
    read_definition,
)
from backstairs.template.policies import policy_at

if TYPE_CHECKING:
    from backstairs.template.resources import Resources

Json = Any
REST_API, HTTP_API = "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"
# What deploys an API as a stage, and the property that names the API.
STAGES = {
    "AWS::ApiGateway::Stage": "RestApiId",
    "AWS::ApiGateway::Deployment": "RestApiId",
    "AWS::ApiGatewayV2::Stage": "ApiId",
}


def read_apis(resources: Resources) -> tuple[tuple[DeclaredApi, ...], tuple[NotRead, ...]]:
    """The REST and HTTP APIs, one for each stage, and what of them was not read.

    The WebSocket ones are not among them.
    """
    reader = _Reader(resources)
    return tuple(reader.read()), tuple(reader.not_read)


def is_websocket(properties: Mapping[str, Json]) -> bool:
    """Whether an `AWS::ApiGatewayV2::Api` is a WebSocket API."""
    return properties.get("ProtocolType") == "WEBSOCKET"


@dataclass(frozen=True, slots=True)
class _Definition:
    """What the stages of an API share: routes with their places, and the body, where it has one."""

    body: Mapping[str, Json]
    routes: Mapping[Route, Source]


class _Reader:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self.not_read: list[NotRead] = []

    def read(self) -> Iterator[DeclaredApi]:
        stages = self._stages()
        for name, properties in self._resources.of_type(REST_API, HTTP_API):
            if is_websocket(properties):
                continue
            definition = self._definition(name, properties)
            if definition is None:
                continue
            for stage in stages.get(name, []):
                try:
                    yield self._api(name, properties, definition, stage)
                except TemplateError as error:
                    self._not_read(name, str(error))

    def _stages(self) -> Mapping[str, list[object]]:
        """The names of the stages by API, each once."""
        found: dict[str, list[object]] = {}
        for name, properties in self._resources.of_type(*STAGES):
            kind = self._resources.by_name[name]["Type"]
            if kind == "AWS::ApiGateway::Deployment" and "StageName" not in properties:
                continue
            api_id = properties.get(STAGES[kind])
            api = self._named(api_id)
            if api is None:
                self._not_read(name, f"it is a stage of an API that is not in here: {api_id}")
                continue
            stages = found.setdefault(api, [])
            stage = properties.get("StageName")
            stages += [stage] if stage not in stages else []
        for name, properties in self._resources.of_type(HTTP_API):
            if "Target" in properties and "$default" not in found.setdefault(name, []):
                found[name].append("$default")
        return found

    def _named(self, api_id: object) -> str | None:
        named = self._resources.named
        return named(REST_API, api_id) or named(HTTP_API, api_id)

    def _definition(self, name: str, properties: Mapping[str, Json]) -> _Definition | None:
        """The routes by definition and by resources of their own; None for an unread API.

        What its definition hides may be its resource policy, so none of it is read then.
        """
        kept = ("BodyS3Location", "CloneFrom")
        elsewhere = [one for one in kept if one in properties and "Body" not in properties]
        body = properties.get("Body", {})
        if elsewhere or not isinstance(body, Mapping):
            what = {one: properties[one] for one in elsewhere} or body
            self._not_read(name, f"its definition (Body) cannot be read: {what}")
            return None
        methods, problems = read_definition(body)
        routes = {route: self._route_source(name, route) for route, _ in methods}
        for problem in problems:
            self._not_read(name, problem)
        is_rest = self._resources.by_name[name]["Type"] == REST_API
        read = rest_api.read_routes if is_rest else http_api.read_routes
        others, not_read = read(self._resources, name)
        self.not_read += not_read
        return _Definition(body, {**routes, **others})

    def _route_source(self, name: str, route: Route) -> Source:
        verb = ANY_METHOD if route.method == "ANY" else route.method.lower()
        return self._resources.source(name, ("Properties", "Body", "paths", route.path, verb))

    def _api(
        self, name: str, properties: Mapping[str, Json], definition: _Definition, stage: object
    ) -> DeclaredApi:
        """One API with one stage. Raises TemplateError."""
        if not isinstance(stage, str):
            raise TemplateError(f"the name of its stage is not known: {stage}")
        resources, body = self._resources, definition.body
        # An HTTP API is always public and has no resource policy.
        rest = resources.by_name[name]["Type"] == REST_API
        api = Api(
            api_id=str(resources.ref(name)),
            name=name,
            stage=stage,
            region=resources.region,
            account=resources.account,
            private=rest and endpoint_types(properties) == ["PRIVATE"],
            policy=self._policy(name, properties, body) if rest else None,
            routes=tuple(definition.routes),
            partition=resources.partition,
            kind=Kind.REST if rest else Kind.HTTP,
            key_source=key_source(properties, body) if rest else "HEADER",
            default_endpoint=default_endpoint(properties, body),
        )
        return DeclaredApi(name, api, resources.source(name, ()), definition.routes)

    def _policy(
        self, name: str, properties: Mapping[str, Json], body: Mapping[str, Json]
    ) -> Policy | None:
        """The resource policy of a REST API; None where it has none."""
        document = policy_document(properties, body)
        if document is None:
            return None
        path = ("Properties", "Body", POLICY) if POLICY in body else ("Properties", "Policy")
        label = f"{name}'s resource policy"
        return policy_at(self._resources, label, name, path, document, resource_based=True)

    def _not_read(self, name: str, why: str) -> None:
        self.not_read.append(NotRead(name, why, self._resources.source(name, ())))
