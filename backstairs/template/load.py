"""Template files: what their text says, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from backstairs.template.sources import Lines

if TYPE_CHECKING:
    from pathlib import Path

Json = Any
# libyaml's parser where PyYAML has it: ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# More nodes than a template of a megabyte has: aliases of aliases.
_NODES = 1_000_000
_DEEP = 500
_TIME = "tag:yaml.org,2002:timestamp"


class TemplateError(Exception):
    """A template that cannot be loaded; the message names file, logical id and what is wrong."""


@dataclass(frozen=True, slots=True)
class Document:
    """A template as it is written, short intrinsics spelled out, and the lines of its text."""

    template: dict[str, Json]
    lines: Lines


def load(path: Path) -> dict[str, Json]:
    """Read a template file (YAML or JSON, short intrinsics included). Raises TemplateError."""
    return load_document(path, str(path)).template


def load_document(path: Path, name: str) -> Document:
    """The same with its lines; `name` is what errors and sources call it. Raises TemplateError."""
    value, lines = load_text(path, name)
    return Document(_checked(value, name), lines)


def load_text(path: Path, name: str) -> tuple[Json, Lines]:
    """Any YAML or JSON file, a template or not. Raises TemplateError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TemplateError(f"{name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"{name}: is not UTF-8: {error}") from error
    return _parsed(text, name)


def parse(text: str, name: str) -> dict[str, Json]:
    """Read a template's text; `name` is what errors call it. Raises TemplateError."""
    return _checked(_parsed(text, name)[0], name)


def _parsed(text: str, name: str) -> tuple[Json, Lines]:
    try:
        root = _composed(text)
        return _Values().of(root), Lines(name, root)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise TemplateError(f"{name}: is not YAML: {error}") from error


def _composed(text: str) -> yaml.Node | None:
    """YAML takes no tabs for indentation; JSON does, and has them nowhere else."""
    if text.lstrip().startswith("{"):
        text = text.replace("\t", " ")
    # A bound of how deep it can be; libyaml ends the process where the stack does.
    if sum(map(text.count, ("[", "{", "- ", "? "))) + max(map(len, text.split("\n"))) > _DEEP:
        _check_depth(text)
    root: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    return root


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEP:
            raise ValueError(f"is more than {_DEEP} levels deep")


class _Values(yaml.constructor.SafeConstructor):
    """The values of YAML nodes as CloudFormation takes them: for JSON.

    A date, or a number as key, is text.
    """

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def of(self, node: yaml.Node | None) -> Json:
        """Raises ValueError for more than any template has, RecursionError for a circle."""
        self._count += 1
        if self._count > _NODES:
            raise ValueError("has too many parts")
        if node is None:
            return None
        if node.tag.startswith("!"):
            return self._short(node)
        return self._plain(node)

    def _plain(self, node: yaml.Node) -> Json:
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            self.flatten_mapping(node)
            return {self._key(key): self.of(value) for key, value in node.value}
        if node.tag.startswith("!") or node.tag == _TIME:
            return node.value
        return self.yaml_constructors.get(node.tag, type(self).construct_undefined)(self, node)

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise ValueError(f"line {node.start_mark.line + 1}: a key is no text")  # noqa: TRY004
        return str(node.value)

    def _short(self, node: yaml.Node) -> Json:
        """`!Sub x` is `Fn::Sub: x`."""
        name = node.tag[1:]
        value = self._plain(node)
        if name == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


def _checked(template: Json, name: str) -> dict[str, Json]:
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
