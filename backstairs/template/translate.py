"""Templates translated to CloudFormation by AWS's own translator, which asks nobody here."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from backstairs.template.load import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = Any
# Before `sam package`, code is a folder; the translator wants to see it in a bucket.
NOT_PACKAGED = "s3://not-packaged/"


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
        properties[name] = f"{NOT_PACKAGED}{path}"
