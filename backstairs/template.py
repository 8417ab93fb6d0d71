"""SAM templates: loaded, translated to CloudFormation as AWS does it, intrinsics resolved.

The translation is AWS's own (aws-sam-translator). A value that cannot be resolved becomes
`Unresolved`, with the reason, and stays visible to whatever depends on it.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import (
    to_py27_compatible_template,
    undo_mark_unicode_str_in_template,
)
from samtranslator.yaml_helper import yaml_parse

from backstairs.access import Unresolved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Json = Any
_SUB = re.compile(r"\$\{(!?)([^}]+)\}")


class TemplateError(Exception):
    """A template that cannot be loaded; the message names file, logical id and what is wrong."""


def load(path: Path) -> dict[str, Json]:
    """Read a template file (YAML or JSON, short intrinsics included). Raises TemplateError."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}") from error


def parse(text: str, name: str) -> dict[str, Json]:
    """Read a template's text; `name` is what errors call it. Raises TemplateError."""
    try:
        template = yaml_parse(text)
    except (yaml.YAMLError, ValueError) as error:
        raise TemplateError(f"{name}: is not YAML: {error}") from error
    if not isinstance(template, dict):
        raise TemplateError(f"{name}: is not a template: a mapping with Resources is expected")
    resources = template.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise TemplateError(f"{name}: has no Resources")
    for logical_id, resource in resources.items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise TemplateError(f"{name}: {logical_id}: has no Type")
        if not isinstance(resource.get("Properties", {}), dict):
            raise TemplateError(f"{name}: {logical_id}: Properties is not a mapping")
    return template


def translate(
    template: Mapping[str, Json], parameters: Mapping[str, str], name: str, region: str
) -> dict[str, Json]:
    """The CloudFormation template that AWS makes of a SAM template. Raises TemplateError."""
    document, values = copy.deepcopy(dict(template)), dict(parameters)
    _stand_in_for_local_paths(document)
    # As AWS's own service does: it keeps generated logical ids the same from run to run.
    to_py27_compatible_template(document, values)
    translator = Translator(None, Parser(), boto_session=boto3.Session(region_name=region))
    try:
        translated = translator.translate(
            document,
            parameter_values=values,
            # The names of AWS's managed policies would be asked of IAM; there is nobody to ask.
            get_managed_policy_map=dict,
        )
    except InvalidDocumentException as error:
        causes = "; ".join(str(cause.message) for cause in error.causes) or str(error)
        raise TemplateError(f"{name}: SAM cannot translate it: {causes}") from error
    plain: dict[str, Json] = undo_mark_unicode_str_in_template(translated)
    return plain


_PATHS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::Application": "Location",
}


def _stand_in_for_local_paths(template: dict[str, Json]) -> None:
    """Before `sam package`, code is a folder; the translator wants to see it in a bucket."""
    for resource in template["Resources"].values():
        name = _PATHS.get(resource["Type"])
        if name is not None and isinstance(path := resource.get("Properties", {}).get(name), str):
            if "://" not in path:
                resource["Properties"][name] = f"s3://not-packaged/{path}"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a stack, so that its intrinsics can be resolved.

    `parameters` are the stack's with their defaults; `physical_ids` by logical id; `attribute`
    answers `Fn::GetAtt` and `export` `Fn::ImportValue`, either with `Unresolved`.
    """

    parameters: Mapping[str, Json]
    physical_ids: Mapping[str, str]
    account: str
    region: str
    stack_name: str
    attribute: Callable[[str, str], Json]
    export: Callable[[str], Json] = field(default=lambda name: Unresolved(f"import of {name}"))
    partition: str = "aws"

    def pseudo(self) -> dict[str, Json]:
        """The pseudo parameters."""
        return {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.stack_name,
            "AWS::NoValue": NO_VALUE,
        }


NO_VALUE = Unresolved("AWS::NoValue")


class Resolver:
    """Resolves the intrinsics of one translated template."""

    def __init__(self, template: Mapping[str, Json], known: Known) -> None:
        self._known = known
        self._names: dict[str, Json] = {**known.physical_ids, **known.parameters, **known.pseudo()}
        self._mappings = template.get("Mappings", {})
        self._conditions = template.get("Conditions", {})
        self._decided: dict[str, Json] = {}

    def condition(self, name: str) -> bool | Unresolved:
        """Whether a named condition holds."""
        if name not in self._decided:
            if name not in self._conditions:
                return Unresolved(f"condition {name} is not defined")
            self._decided[name] = Unresolved(f"condition {name} refers to itself")
            self._decided[name] = self.resolve(self._conditions[name])
        decided: bool | Unresolved = self._decided[name]
        return decided

    def exists(self, resource: Mapping[str, Json]) -> bool | Unresolved:
        """Whether a resource is created, by its Condition."""
        return self.condition(resource["Condition"]) if "Condition" in resource else True

    def resolve(self, value: Json) -> Json:
        """A value with its intrinsics replaced; what cannot be, as `Unresolved`."""
        if isinstance(value, list):
            items = (self.resolve(item) for item in value)
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._names.get(argument, Unresolved(f"Ref {argument}"))
            if name == "Condition" and isinstance(argument, str):
                return self.condition(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def _function(self, name: str, argument: Json) -> Json:
        method = self._FUNCTIONS.get(name)
        if method is None:
            return Unresolved(f"{name} is not modelled")
        try:
            return method(self, argument)
        except (TypeError, ValueError, IndexError, KeyError) as error:
            return Unresolved(f"{name} {argument}: {error!r}")

    def _get_att(self, argument: Json) -> Json:
        logical_id, _, attribute = (
            argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
        )
        return self._known.attribute(logical_id, str(self.resolve(attribute)))

    def _if(self, argument: Json) -> Json:
        name, if_true, if_false = argument
        decided = self.condition(name)
        if isinstance(decided, Unresolved):
            return decided
        return self.resolve(if_true if decided else if_false)

    def _sub(self, argument: Json) -> Json:
        text, variables = (argument, {}) if isinstance(argument, str) else argument
        missing: list[Unresolved] = []

        def value(found: re.Match[str]) -> str:
            literal, name = found[1], found[2].strip()
            if literal:
                return "${" + name + "}"
            if name in variables:
                result = self.resolve(variables[name])
            elif "." in name:
                result = self._get_att(name)
            else:
                result = self.resolve({"Ref": name})
            if isinstance(result, Unresolved):
                missing.append(result)
            return str(result)

        replaced = _SUB.sub(value, text)
        return missing[0] if missing else replaced

    def _join(self, argument: Json) -> Json:
        separator, items = argument[0], self.resolve(argument[1])
        if isinstance(items, Unresolved):
            return items
        missing = [item for item in items if isinstance(item, Unresolved)]
        return missing[0] if missing else separator.join(map(str, items))

    def _select(self, argument: Json) -> Json:
        index, items = self.resolve(argument[0]), self.resolve(argument[1])
        return items if isinstance(items, Unresolved) else items[int(index)]

    def _split(self, argument: Json) -> Json:
        text = self.resolve(argument[1])
        return text if isinstance(text, Unresolved) else text.split(argument[0])

    def _find_in_map(self, argument: Json) -> Json:
        first, second, third = (self.resolve(part) for part in argument[:3])
        return self._mappings[first][second][third]

    def _import_value(self, argument: Json) -> Json:
        name = self.resolve(argument)
        return name if isinstance(name, Unresolved) else self._known.export(name)

    def _equals(self, argument: Json) -> Json:
        left, right = (self.resolve(side) for side in argument)
        for side in (left, right):
            if isinstance(side, Unresolved):
                return side
        return str(left) == str(right)

    def _logic(self, argument: Json, *, decisive: bool) -> Json:
        parts = [self.resolve(part) for part in argument]
        if any(part is decisive for part in parts):
            return decisive
        unknown = [part for part in parts if isinstance(part, Unresolved)]
        return unknown[0] if unknown else not decisive

    def _not(self, argument: Json) -> Json:
        part = self.resolve(argument[0])
        return part if isinstance(part, Unresolved) else not part

    _FUNCTIONS: Mapping[str, Callable[[Resolver, Json], Json]] = {
        "Fn::GetAtt": _get_att,
        "Fn::If": _if,
        "Fn::Sub": _sub,
        "Fn::Join": _join,
        "Fn::Select": _select,
        "Fn::Split": _split,
        "Fn::FindInMap": _find_in_map,
        "Fn::ImportValue": _import_value,
        "Fn::Equals": _equals,
        "Fn::And": lambda self, argument: self._logic(argument, decisive=False),
        "Fn::Or": lambda self, argument: self._logic(argument, decisive=True),
        "Fn::Not": _not,
    }


def parameter_values(template: Mapping[str, Json], given: Mapping[str, str]) -> dict[str, Json]:
    """The parameters of a template with their defaults; list types as lists."""
    values: dict[str, Json] = {}
    for name, declared in template.get("Parameters", {}).items():
        value = given.get(name, declared.get("Default"))
        if value is None:
            values[name] = Unresolved(f"parameter {name} has no value")
        elif declared["Type"] == "CommaDelimitedList" or declared["Type"].startswith("List<"):
            values[name] = [item.strip() for item in str(value).split(",")] if value else []
        else:
            values[name] = str(value)
    return values
