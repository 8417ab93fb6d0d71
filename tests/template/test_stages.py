"""Stages of every template: each is meant, limited and traced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from backstairs.template.translate import translate
from tests.template.conftest import REGION, ROOT, uploaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TEMPLATES = [ROOT / "template.yaml", *sorted((ROOT / "stacks").glob("*.yaml"))]
API = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      OpenApiVersion: 3.0.1
      TracingEnabled: true
      MethodSettings:
        - {ResourcePath: /*, HttpMethod: "*", ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}
      DefinitionBody: {openapi: 3.0.1, info: {title: a, version: "1"}, paths: {}}
  HttpApi:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: dev
      DefaultRouteSettings: {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}
      DefinitionBody: {openapi: 3.0.1, info: {title: a, version: "1"}, paths: {}}
"""


def translated(path: Path) -> dict[str, Any]:
    """The resources of a template as SAM makes them, whatever their conditions."""
    template = uploaded(load(path))
    needed = {
        name: "subnet-0a,subnet-0b" if one["Type"].startswith(("List", "Comma")) else "a"
        for name, one in template.get("Parameters", {}).items()
        if "Default" not in one
    }
    resources: dict[str, Any] = translate(template, needed, path.name, REGION)["Resources"]
    return resources


def found(resources: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the stages among these resources."""
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::ApiGateway::Deployment" if "StageName" in properties:
                # A stage that no resource describes; SAM's is there without OpenApiVersion.
                yield f"{name} makes a second stage, {properties['StageName']}"
            case "AWS::ApiGateway::Stage":
                every = [
                    one
                    for one in properties.get("MethodSettings", [])
                    if (one.get("ResourcePath"), one.get("HttpMethod")) == ("/*", "*")
                ]
                if not every or not all(map(is_limited, every)):
                    yield f"{name} has no throttle"
                if properties.get("TracingEnabled") is not True:
                    yield f"{name} has no tracing"
            case "AWS::ApiGatewayV2::Stage":
                if not is_limited(properties.get("DefaultRouteSettings", {})):
                    yield f"{name} has no throttle"


def is_limited(settings: Mapping[str, Any]) -> bool:
    """Whether a rate and a burst are set."""
    return {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= settings.keys()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_stage_is_meant_limited_and_traced(path: Path) -> None:
    """HTTP APIs know no tracing."""
    assert list(found(translated(path))) == []


@pytest.mark.parametrize(
    ("gone", "finding"),
    [
        ("      OpenApiVersion: 3.0.1\n", "makes a second stage, Stage"),
        ("      TracingEnabled: true\n", "has no tracing"),
        (", ThrottlingBurstLimit: 1}\n      DefinitionBody", "has no throttle"),
        ("ThrottlingRateLimit: 1, ", "has no throttle"),
        ("ResourcePath: /*, ", "has no throttle"),
        ("      DefaultRouteSettings: {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}\n", "thro"),
    ],
)
def test_what_is_missing_is_found(gone: str, finding: str, tmp_path: Path) -> None:
    """The search itself: nothing in a good API, and each thing that is taken away from it."""
    path = tmp_path / "api.yaml"
    path.write_text(API, "utf-8")
    assert list(found(translated(path))) == []
    left = "}\n      DefinitionBody" if "DefinitionBody" in gone else ""
    path.write_text(API.replace(gone, left), "utf-8")
    assert finding in " ".join(found(translated(path)))
