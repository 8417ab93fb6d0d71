"""Templates translated to CloudFormation by AWS's own translator, which asks nobody here."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backstairs.template.load import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = Any
# Before `sam package`, code is a folder; the translator wants to see it in a bucket.
BUCKET = "not-packaged"
_SERVERLESS = "AWS::Serverless::"
_EVENT = re.compile(r"Event with id \[([^\]]+)\]")
# How many resources are tried, each left out in turn, to find the one that SAM fails on.
_TRIED = 60


def translate(
    template: Mapping[str, Json], parameters: Mapping[str, str], name: str, region: str
) -> dict[str, Json]:
    """The CloudFormation template that AWS makes of a SAM template. Raises TemplateError."""
    document = copied(dict(template))
    for logical_id in _of_the_repository(document):
        raise TemplateError(f"{name}: {logical_id}: applications of the repository are not read")
    try:
        return _translated(document, parameters, region)
    except _FailedError as error:
        raise TemplateError(f"{name}: SAM {error}") from error


def copied(value: Json) -> Json:
    """A copy of plain data; five times as fast as one of anything."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


@dataclass(slots=True)
class Translation:
    """What SAM made of a template, and what it could make nothing of: logical id and why."""

    template: dict[str, Json]
    problems: list[tuple[str, str]] = field(default_factory=list)


def translate_what_can_be(
    template: Mapping[str, Json], parameters: Mapping[str, str], region: str
) -> Translation:
    """Translate a template without the resources and events that SAM refuses or fails on."""
    document = dict(template)
    resources = document["Resources"] = dict(document["Resources"])
    problems = []
    for logical_id in list(_of_the_repository(document)):
        del resources[logical_id]
        problems.append((logical_id, "an application of the repository, which is not asked"))
    while any(map(_is_serverless, resources.values())):
        try:
            translated = _translated(copied(document), parameters, region)
        except _FailedError as error:
            blamed = error.blamed(resources) or _blame(document, parameters, region, error)
            problems += _left_out(resources, blamed)
            continue
        return Translation(translated, problems)
    document.pop("Globals", None)
    return Translation(document, problems)


class _FailedError(Exception):
    """The translator's refusal, or its failure; `causes` are logical ids, each with its cause."""

    def __init__(self, message: str, why: str, causes: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{message}: {why}")
        self.why = why
        self._causes = causes or {}

    def blamed(self, resources: Mapping[str, Json]) -> dict[str, str]:
        """The resources that it names, by their ids or by those that it gives to their events."""
        named = {name: why for name, why in self._causes.items() if name in resources}
        for logical_id, resource in resources.items():
            for event in _events(resource):
                why = self._causes.get(f"{logical_id}{event}")
                if why is not None:
                    named.setdefault(logical_id, f"Event with id [{event}] is invalid. {why}")
        return named


def _events(resource: Json) -> dict[str, Json]:
    properties = resource.get("Properties") if isinstance(resource, dict) else None
    events = properties.get("Events") if isinstance(properties, dict) else None
    return events if isinstance(events, dict) else {}


def _left_out(resources: dict[str, Json], blamed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Leave out what SAM cannot translate: an event alone where it is that."""
    for logical_id, why in blamed.items():
        event = _EVENT.search(why)
        events = _events(resources[logical_id])
        if event and event[1] in events:
            kept = {name: one for name, one in events.items() if name != event[1]}
            changed = {**resources[logical_id]["Properties"], "Events": kept}
            resources[logical_id] = {**resources[logical_id], "Properties": changed}
        else:
            del resources[logical_id]
        yield logical_id, f"SAM makes nothing of it: {why}"


def _blame(
    document: Mapping[str, Json], parameters: Mapping[str, str], region: str, error: _FailedError
) -> dict[str, str]:
    """The resource without which SAM does not fail; all of SAM's where there is no such one."""
    resources, why = document["Resources"], error.why
    serverless = [name for name, one in resources.items() if _is_serverless(one)]
    for left_out in serverless[:_TRIED] if len(serverless) > 1 else ():
        others = {name: one for name, one in resources.items() if name != left_out}
        try:
            _translated(copied({**document, "Resources": others}), parameters, region)
        except _FailedError:
            continue
        return {left_out: why}
    return dict.fromkeys(serverless, why)


def _is_serverless(resource: Json) -> bool:
    return isinstance(resource, dict) and str(resource.get("Type")).startswith(_SERVERLESS)


def _of_the_repository(document: Mapping[str, Json]) -> Iterator[str]:
    """Applications that SAM would ask AWS for; nothing here may."""
    for logical_id, resource in document["Resources"].items():
        location = resource.get("Properties", {}).get("Location")
        if resource.get("Type") == "AWS::Serverless::Application" and isinstance(location, dict):
            yield logical_id


@dataclass(frozen=True, slots=True)
class _Session:
    """All that the translator wants to know of a session."""

    region_name: str


def _translated(
    document: dict[str, Json], parameters: Mapping[str, str], region: str
) -> dict[str, Json]:
    """A document translated; it is changed by that. Raises _FailedError."""
    # Here, for who only reads templates should not wait for the translator: it takes a second.
    from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415
    from samtranslator.parser.parser import Parser  # noqa: PLC0415
    from samtranslator.translator.translator import Translator  # noqa: PLC0415
    from samtranslator.utils.py27hash_fix import (  # noqa: PLC0415
        to_py27_compatible_template,
        undo_mark_unicode_str_in_template,
    )

    # It tells its own makers of switches and metrics.
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    _stand_in_for_local_paths(document)
    values = dict(parameters)
    translator = Translator(None, Parser(), boto_session=_Session(region))
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
        causes = {str(getattr(one, "_logical_id", "")): str(one.message) for one in error.causes}
        text = "; ".join(str(cause.message) for cause in error.causes) or str(error)
        raise _FailedError("cannot translate it", text, causes) from error
    except Exception as error:  # its own mistakes, of any kind
        raise _FailedError("fails on it", repr(error)) from error
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
    """As in the SAM CLI, a function's folder is the template's own where none is named."""
    for kind, shared in (template.get("Globals") or {}).items():
        _stand_in(shared, _PATHS.get(f"{_SERVERLESS}{kind}"))
    of_all = (template.get("Globals") or {}).get("Function") or {}
    for resource in template["Resources"].values():
        kind = resource.get("Type")
        if kind == "AWS::Serverless::Function":
            properties = resource.setdefault("Properties", {})
            if properties.get("PackageType") == "Image":
                image = properties.get("ImageUri")
                if not isinstance(image, dict) and ".dkr.ecr." not in str(image):
                    properties["ImageUri"] = _IMAGE
            elif not {"CodeUri", "InlineCode"} & {*properties, *of_all}:
                properties["CodeUri"] = "."
        _stand_in(resource.get("Properties"), _PATHS.get(kind))


def _stand_in(properties: Json, name: str | None) -> None:
    path = properties.get(name) if isinstance(properties, dict) else None
    if isinstance(path, str) and "://" not in path:
        properties[name] = f"s3://{BUCKET}/{path}"
