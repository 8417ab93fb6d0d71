"""SAM templates: loaded, and translated to CloudFormation by AWS's own translator."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import yaml
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Json = Any


class TemplateError(Exception):
    """A template that cannot be loaded; the message names file, logical id and what is wrong."""


def load(path: Path) -> dict[str, Json]:
    """Read a template file (YAML or JSON, short intrinsics included). Raises TemplateError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"{path}: is not UTF-8: {error}") from error
    return parse(text, str(path))


def parse(text: str, name: str) -> dict[str, Json]:
    """Read a template's text; `name` is what errors call it. Raises TemplateError."""
    try:
        # As CloudFormation does, which takes YAML for JSON: a date, or a number as key, is text.
        template = json.loads(json.dumps(_json_or_yaml(text), default=str))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise TemplateError(f"{name}: is not YAML: {error}") from error
    if not isinstance(template, dict):
        raise TemplateError(f"{name}: is not a template: a mapping with Resources is expected")
    for section in ("Globals", "Parameters", "Mappings", "Conditions", "Outputs"):
        if not isinstance(template.get(section, {}), dict):
            raise TemplateError(f"{name}: {section} is not a mapping")
    for parameter, declared in template.get("Parameters", {}).items():
        if not isinstance(declared, dict) or not isinstance(declared.get("Type"), str):
            raise TemplateError(f"{name}: parameter {parameter} has no Type")
    resources = template.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise TemplateError(f"{name}: has no Resources")
    for logical_id, resource in resources.items():
        problem = _problem(logical_id, resource)
        if problem is not None:
            raise TemplateError(f"{name}: {logical_id}: {problem}")
    return template


def _json_or_yaml(text: str) -> Json:
    """YAML takes no tabs for indentation, so JSON is tried first."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml_parse(text)


def _problem(logical_id: str, resource: Json) -> str | None:
    """What of a resource cannot be understood."""
    if logical_id == "Fn::Transform":  # resources that CloudFormation reads from elsewhere
        return None
    if logical_id.startswith("Fn::"):
        return f"{logical_id} is not modelled"
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        return "has no Type"
    if not isinstance(resource.get("Properties", {}), dict):
        return "Properties is not a mapping"
    return None if isinstance(resource.get("Condition", ""), str) else "Condition is not a name"


def translate(
    template: Mapping[str, Json], parameters: Mapping[str, str], name: str, region: str
) -> dict[str, Json]:
    """The CloudFormation template that AWS makes of a SAM template. Raises TemplateError."""
    # Here, for who only reads templates should not wait for the translator: it takes a second.
    import boto3  # noqa: PLC0415
    from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415
    from samtranslator.parser.parser import Parser  # noqa: PLC0415
    from samtranslator.translator.translator import Translator  # noqa: PLC0415
    from samtranslator.utils.py27hash_fix import (  # noqa: PLC0415
        to_py27_compatible_template,
        undo_mark_unicode_str_in_template,
    )

    document, values = copy.deepcopy(dict(template)), dict(parameters)
    for logical_id, resource in document["Resources"].items():
        location = resource.get("Properties", {}).get("Location")
        if resource.get("Type") == "AWS::Serverless::Application" and isinstance(location, dict):
            # SAM would ask AWS for it; nothing here may.
            raise TemplateError(
                f"{name}: {logical_id}: applications of the repository are not read"
            )
    _stand_in_for_local_paths(document)
    translator = Translator(None, Parser(), boto_session=boto3.Session(region_name=region))
    try:
        # As AWS's own service does: it keeps generated logical ids the same from run to run.
        to_py27_compatible_template(document, values)
        translated = translator.translate(
            document,
            parameter_values=values,
            # The names of AWS's managed policies would be asked of IAM; there is nobody to ask.
            get_managed_policy_map=dict,
        )
    except InvalidDocumentException as error:
        causes = "; ".join(str(cause.message) for cause in error.causes) or str(error)
        raise TemplateError(f"{name}: SAM cannot translate it: {causes}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TemplateError(f"{name}: SAM fails on it: {error!r}") from error
    plain: dict[str, Json] = undo_mark_unicode_str_in_template(translated)
    return plain


_PATHS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::Application": "Location",
    "AWS::Serverless::StateMachine": "DefinitionUri",
    "AWS::Serverless::Api": "DefinitionUri",
    "AWS::Serverless::HttpApi": "DefinitionUri",
}
_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/not-packaged"


def _stand_in_for_local_paths(template: dict[str, Json]) -> None:
    """Before `sam package`, code is a folder; the translator wants to see it in a bucket.

    As in the SAM CLI, a function's folder is the template's own where none is named.
    """
    for kind, shared in (template.get("Globals") or {}).items():
        _stand_in(shared, _PATHS.get(f"AWS::Serverless::{kind}"))
    of_all = (template.get("Globals") or {}).get("Function") or {}
    for resource in template["Resources"].values():
        kind = resource.get("Type")
        if kind == "AWS::Serverless::Function":
            properties = resource.setdefault("Properties", {})
            if properties.get("PackageType") == "Image":
                properties.setdefault("ImageUri", _IMAGE)
            elif not {"CodeUri", "InlineCode"} & {*properties, *of_all}:
                properties["CodeUri"] = "."
        _stand_in(resource.get("Properties"), _PATHS.get(kind))


def _stand_in(properties: Json, name: str | None) -> None:
    path = properties.get(name) if isinstance(properties, dict) else None
    if isinstance(path, str) and "://" not in path:
        properties[name] = f"s3://not-packaged/{path}"
