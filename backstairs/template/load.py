"""Template files: what their text says, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from backstairs.template.sources import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

Json = Any
# libyaml's parser where PyYAML has it: ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# More nodes than a template of a megabyte has: aliases of aliases.
_NODES = 1_000_000
_DEEP = 500
# So deep libyaml surely goes; it ends the process where the stack does.
_SURE = 5000
_TIME = "tag:yaml.org,2002:timestamp"


class TemplateError(Exception):
    """A template that cannot be loaded; the message names file, logical id and what is wrong."""


@dataclass(frozen=True, slots=True)
class Document:
    """A template as it is written, short intrinsics spelled out, and the lines of its text.

    `problems` are the parts that cannot be understood, which the template is without: the section
    or logical id of each, and why.
    """

    template: dict[str, Json]
    lines: Lines
    problems: tuple[tuple[str, str], ...] = ()


def load(path: Path) -> dict[str, Json]:
    """Read a template file (YAML or JSON, short intrinsics included). Raises TemplateError."""
    return _whole(load_document(path, str(path)), str(path))


def parse(text: str, name: str) -> dict[str, Json]:
    """Read a template's text; `name` is what errors call it. Raises TemplateError."""
    return _whole(_checked(*_parsed(text, name), name), name)


def _whole(document: Document, name: str) -> dict[str, Json]:
    """The template, without any problem. Raises TemplateError."""
    loops = [key for key in document.template["Resources"] if key.startswith("Fn::ForEach")]
    for part, why in [*document.problems, *((key, "is not modelled") for key in loops)]:
        raise TemplateError(f"{name}: {part} {why}")
    return document.template


def load_document(path: Path, name: str) -> Document:
    """A template file with its lines; `name` is what errors and sources call it.

    Raises TemplateError where it is no template at all.
    """
    return _checked(*load_text(path, name), name)


def load_text(path: Path, name: str) -> tuple[Json, Lines]:
    """Any YAML or JSON file, a template or not. Raises TemplateError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TemplateError(f"{name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"{name}: is not UTF-8: {error}") from error
    return _parsed(text, name)


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
    # No text is deeper than it has these, and than its longest line.
    if sum(map(text.count, ("[", "{", "- ", "? "))) + max(map(len, text.split("\n"))) > _SURE:
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


_SECTIONS = ("Globals", "Parameters", "Mappings", "Conditions", "Outputs")


def _checked(template: Json, lines: Lines, name: str) -> Document:
    if not isinstance(template, dict):
        raise TemplateError(f"{name}: is not a template: a mapping with Resources is expected")
    resources = template.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise TemplateError(f"{name}: has no Resources")
    for section in _SECTIONS:
        if template.get(section, {}) is None:  # its name alone
            del template[section]
    problems = [*_drop(template, _SECTIONS, _section_problem)]
    problems += _drop(template.get("Parameters", {}), None, _parameter_problem)
    problems += _drop(resources, None, _problem)
    return Document(template, lines, tuple(problems))


def _drop(
    parts: dict[str, Json],
    names: Iterable[str] | None,
    check: Callable[[str, Json], str | None],
) -> Iterator[tuple[str, str]]:
    """Take away what cannot be understood, and say what it was."""
    for name in list(parts if names is None else parts.keys() & set(names)):
        why = check(name, parts[name])
        if why is not None:
            del parts[name]
            yield name, why


def _section_problem(_: str, section: Json) -> str | None:
    return None if isinstance(section, dict) else "is not a mapping"


def _parameter_problem(_: str, declared: Json) -> str | None:
    typed = isinstance(declared, dict) and isinstance(declared.get("Type"), str)
    return None if typed else "is a parameter that has no Type"


def _problem(logical_id: str, resource: Json) -> str | None:
    """What of a resource cannot be understood."""
    if logical_id.startswith("Fn::"):  # resources that CloudFormation makes, or reads elsewhere
        return None
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        return "has no Type"
    if not isinstance(resource.get("Properties", {}), dict):
        return "has Properties that are not a mapping"
    known = isinstance(resource.get("Condition", ""), str)
    return None if known else "has a Condition that is not a name"
