"""The doors of a template, counted straight from its text: what a reading must have or name.

Nothing of `backstairs.template` is used here, and nothing is translated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from pathlib import Path

Json = Any
_VERBS = {"get", "put", "post", "delete", "options", "head", "patch"}
_ANY = "x-amazon-apigateway-any-method"
_APIS = {
    "AWS::Serverless::Api": "DefinitionBody",
    "AWS::Serverless::HttpApi": "DefinitionBody",
    "AWS::ApiGateway::RestApi": "Body",
    "AWS::ApiGatewayV2::Api": "Body",
}
_FILES = ("DefinitionUri", "BodyS3Location")
# Resources that are doors themselves.
_DOORS = {
    "AWS::ApiGateway::Method": "method",
    "AWS::ApiGatewayV2::Route": "route",
    "AWS::Lambda::Url": "function URL",
    "AWS::Lambda::Permission": "permission",
    "AWS::ApiGateway::BasePathMapping": "custom domain",
    "AWS::ApiGatewayV2::ApiMapping": "custom domain",
    "AWS::Serverless::WebFunction": "web function",
    "AWS::Serverless::WebSocketApi": "WebSocket API",
    "AWS::Serverless::GraphQLApi": "GraphQL API",
    "AWS::AppSync::GraphQLApi": "GraphQL API",
}


@dataclass(frozen=True, slots=True)
class Door:
    """A way in. `owner` is the resource that has it, `method` and `path` those of a route.

    `condition`: it may not exist. `event` is the name of the event that it is.
    """

    kind: str
    owner: str
    condition: bool
    method: str | None = None
    path: str | None = None
    event: str | None = None


def is_one(text: str) -> bool:
    """Whether a text speaks of APIs or functions of SAM's."""
    return re.search(r"AWS::(Serverless|ApiGateway)", text) is not None


def read(text: str) -> Json:
    """The template as plain data. Raises whatever the parsers do."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml_parse(text)


def doors(template: Mapping[str, Json], folder: Path) -> Iterator[Door]:
    """Every door that the text declares, whatever becomes of it."""
    own = {
        name
        for name, resource in template["Resources"].items()
        if isinstance(resource, Mapping)
        and {"DefinitionBody", "DefinitionUri"} & _mapping(resource.get("Properties")).keys()
    }
    for key, resource in template["Resources"].items():
        name = str(key)
        if name.startswith("Fn::") or not isinstance(resource, Mapping):
            continue
        kind, properties = str(resource.get("Type")), _mapping(resource.get("Properties"))
        conditional = "Condition" in resource
        if kind in _DOORS:
            yield Door(_DOORS[kind], name, conditional)
        if "FunctionUrlConfig" in properties:
            yield Door("function URL", name, conditional)
        if kind == "AWS::ApiGatewayV2::Api" and "Target" in properties:
            yield Door("quick create", name, conditional)
        yield from _events(name, properties, own, conditional=conditional)
        if kind in _APIS:
            for body in _definitions(properties, _APIS[kind], folder):
                yield from _routes(name, body, conditional=conditional)


def _events(
    name: str, properties: Mapping[str, Json], own: set[str], *, conditional: bool
) -> Iterator[Door]:
    """The events that are routes; SAM adds none to an API with a definition of its `own`."""
    events = properties.get("Events")
    for event, declared in events.items() if isinstance(events, Mapping) else ():
        kind = declared.get("Type") if isinstance(declared, Mapping) else None
        if kind in ("Api", "HttpApi"):
            of = _mapping(declared.get("Properties"))
            method, path = of.get("Method", "any"), of.get("Path", "$default")
            if api_of(of) not in own:
                yield Door("event", name, conditional, _text(method), _text(path), event)


def api_of(properties: Mapping[str, Json]) -> str | None:
    """The logical id of the API that a method, route or event says it belongs to."""
    reference = properties.get("RestApiId", properties.get("ApiId"))
    name = reference.get("Ref") if isinstance(reference, Mapping) else reference
    return name if isinstance(name, str) else None


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _definitions(properties: Mapping[str, Json], key: str, folder: Path) -> Iterator[Json]:
    """The OpenAPI definition: in the template, or in a file beside it."""
    body = properties.get(key)
    if isinstance(body, Mapping):
        included = body.get("Fn::Transform")
        yield body
        if isinstance(included, Mapping):
            yield from _file(_mapping(included.get("Parameters")).get("Location"), folder)
    for name in _FILES:
        yield from _file(properties.get(name), folder)


def _file(location: Json, folder: Path) -> Iterator[Json]:
    if isinstance(location, str) and "://" not in location and (folder / location).is_file():
        try:
            yield read((folder / location).read_text("utf-8"))
        except Exception:  # noqa: BLE001 - no definition: the reading must say so
            return


def _routes(name: str, body: Json, *, conditional: bool) -> Iterator[Door]:
    paths = body.get("paths") if isinstance(body, Mapping) else None
    for path, item in paths.items() if isinstance(paths, Mapping) else ():
        for verb in item if isinstance(item, Mapping) else ():
            if str(verb).lower() in _VERBS or verb == _ANY:
                method = "any" if verb == _ANY else str(verb)
                yield Door("definition", name, conditional, method, str(path))
