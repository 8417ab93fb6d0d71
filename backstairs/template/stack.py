"""One template as a stack: its resources, resolved, and the stacks that it nests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backstairs.access import Unresolved
from backstairs.template.includes import Includes
from backstairs.template.intrinsics import Known, Resolver, parameter_values
from backstairs.template.load import TemplateError, load_document
from backstairs.template.loops import Loops
from backstairs.template.model import NotRead
from backstairs.template.places import Places
from backstairs.template.sources import Marks
from backstairs.template.stand_ins import StandIn, assumed_value, physical_name
from backstairs.template.translate import BUCKET, translate_what_can_be

if TYPE_CHECKING:
    from pathlib import Path

    from backstairs.access import Source

Json = Any
# What nests a stack, before translation, and the property that names its template.
_NESTED = {"AWS::Serverless::Application": "Location", "AWS::CloudFormation::Stack": "TemplateURL"}
_DEPTH = 20
_SECTIONS = ("Resources", "Parameters")
_TRANSFORMS = ("AWS::Serverless-2016-10-31", "AWS::LanguageExtensions")
# Types that SAM left as they were, and modules, which are made of types of their own.
_NOT_READ = re.compile(r"^AWS::Serverless::|::MODULE$")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where stacks are deployed, and what of them was not read."""

    account: str
    region: str
    partition: str
    # Sources are relative to it.
    folder: Path
    not_read: list[NotRead] = field(default_factory=list)


class Stack:
    """A template with its parameters. Raises TemplateError for a file that is no template.

    `prefix` stands before the names of its resources: "" or `Network/`.
    """

    def __init__(
        self,
        path: Path,
        given: Mapping[str, Json],
        setting: Setting,
        stack_name: str,
        prefix: str = "",
    ) -> None:
        self.path = path
        self.prefix = prefix
        self._setting = setting
        self._name = stack_name
        self.file = _relative(path, setting.folder)
        self.document = load_document(path, self.file)
        self._lines = self.document.lines
        self.parameters, self.assumed = _values(self.document.template, given, prefix)
        self._references: dict[str, Json] = {}
        self._nested: dict[str, Stack | Unresolved] = {}
        self._marks = Marks()
        self._places = Places(self._lines, {})
        for part, why in self.document.problems:
            sections = (one for one in _SECTIONS if self._lines.has(one, part))
            self.not_read(part, why, self._lines.at(*sections, part))
        marked = self._written_out()
        self.written: Mapping[str, Json] = self._marks.take(marked)
        self._places = Places(self._lines, self.written["Resources"])
        self.template: Mapping[str, Json] = self._marks.take(self._translated(marked))
        self._resources: Mapping[str, Mapping[str, Json]] = self.template["Resources"]
        self._resolver = Resolver(self.template, self._known())
        self.resources = {
            name: self.resolve(resource)
            for name, resource in self._resources.items()
            if self.exists(name)
        }

    def _known(self) -> Known:
        return Known(
            parameters=self.parameters,
            physical_ids={},
            account=self._setting.account,
            region=self._setting.region,
            stack_name=self._name,
            attribute=self.attribute,
            reference=self.reference,
            partition=self._setting.partition,
        )

    def _written_out(self) -> dict[str, Json]:
        """The template as it is written, with what loops make and macros bring in."""
        marked = self._marks.put(self.document.template, self._lines)
        self._check_transforms(marked.get("Transform", []))
        # Conditions may depend on nothing but parameters and mappings.
        self._resources = {}
        resolve = Resolver(marked, self._known()).resolve
        loops = Loops(resolve)
        written: dict[str, Json] = loops.write_out(marked)
        for place, origin in loops.places.items():
            self._lines.graft(place, self._lines, origin)
        includes = Includes(self.path.parent, self._shown, resolve, self._lines, self._marks)
        written = includes.put_in(written)
        for path, why in (*loops.problems, *includes.problems):
            name = str(path[1] if len(path) > 1 else path[0] if path else "Transform")
            self.not_read(name, why, self._lines.at(*path))
        return written

    def _check_transforms(self, transforms: Json) -> None:
        for one in transforms if isinstance(transforms, list) else [transforms]:
            name = one.get("Name") if isinstance(one, Mapping) else one
            if name not in _TRANSFORMS:
                why = "is a macro, which may make anything of the template"
                self.not_read(str(name), why, self._lines.at("Transform"))

    def _translated(self, marked: dict[str, Json]) -> dict[str, Json]:
        values = {name: _as_text(value) for name, value in self.parameters.items()}
        texts = {name: value for name, value in values.items() if isinstance(value, str)}
        translation = translate_what_can_be(marked, texts, self._setting.region)
        for logical_id, why in translation.problems:
            self.not_read(logical_id, why)
        resources = translation.template["Resources"]
        for logical_id, resource in list(resources.items()):
            kind = resource.get("Type") if isinstance(resource, Mapping) else None
            if not isinstance(kind, str) or _NOT_READ.search(kind):
                del resources[logical_id]
                if not logical_id.startswith("Fn::"):  # those were named already
                    self.not_read(logical_id, f"its type is not modelled: {kind}")
            else:
                self._read_definition(logical_id, resource)
        return translation.template

    def _read_definition(self, logical_id: str, resource: Mapping[str, Json]) -> None:
        """Put the definition of an API that is a local file in its place."""
        properties = resource.get("Properties")
        location = properties.get("BodyS3Location") if isinstance(properties, dict) else None
        if isinstance(location, Mapping) and location.get("Bucket") == BUCKET:
            location = location.get("Key")
        if properties is None or not isinstance(location, str) or "://" in location:
            return
        try:
            path = ("Resources", logical_id, "Properties", "Body")
            includes = Includes(
                self.path.parent, self._shown, lambda value: value, self._lines, self._marks
            )
            properties["Body"] = includes.read(self.path.parent / location, path)
        except TemplateError as error:
            self.not_read(logical_id, str(error))

    def _shown(self, path: Path) -> str:
        return _relative(path, self._setting.folder)

    def stacks(self) -> Iterator[Stack]:
        """It and those that it nests, at any depth."""
        yield self
        for logical_id, resource in self._resources.items():
            if resource["Type"] == "AWS::CloudFormation::Stack" and self.exists(logical_id):
                nested = self.nested(logical_id)
                if isinstance(nested, Stack):
                    yield from nested.stacks()

    def exists(self, logical_id: str) -> bool:
        """Whether a resource is created, or may be."""
        return self._resolver.exists(self._resources[logical_id]) is not False

    def doubts(self) -> dict[str, str]:
        """Why a resource may not be created, by its name, where that is not known."""
        exists = {name: self._resolver.exists(one) for name, one in self._resources.items()}
        return {
            self.prefix + name: one.why
            for name, one in exists.items()
            if isinstance(one, Unresolved)
        }

    def resolve(self, value: Json) -> Json:
        """A value of the translated template, resolved."""
        return self._resolver.resolve(value)

    def output(self, name: str) -> Json:
        """The value of an output."""
        output = self.template.get("Outputs", {}).get(name)
        if output is None or self._resolver.exists(output) is False:
            return Unresolved(f"{self.prefix}Outputs.{name} does not exist")
        return self.resolve(output.get("Value"))

    def not_read(self, part: str, why: str, source: Source | None = None) -> None:
        """Report a part that was not understood."""
        source = source or self._places.of(part, {})
        self._setting.not_read.append(NotRead(self.prefix + part, why, source))

    def place(self, logical_id: str, path: tuple[str | int, ...]) -> Source:
        """Where a resource of the translated template is written, or a part of it."""
        return self._places.of(logical_id, self.resources.get(logical_id, {}), path)

    def nested(self, logical_id: str) -> Stack | Unresolved:
        """The stack that a resource is, read when it is first asked for."""
        if logical_id not in self._nested:
            self._nested[logical_id] = Unresolved(f"{self.prefix}{logical_id} depends on itself")
            self._nested[logical_id] = self._read_nested(logical_id)
        return self._nested[logical_id]

    def _read_nested(self, logical_id: str) -> Stack | Unresolved:
        name = f"{self.prefix}{logical_id}"
        try:
            path = self._location(logical_id)
            given = self.resolve(self._resources[logical_id]["Properties"].get("Parameters", {}))
            return Stack(
                path,
                given if isinstance(given, Mapping) else {},
                self._setting,
                physical_name(self._name, logical_id, name),
                f"{name}/",
            )
        except TemplateError as error:
            self.not_read(logical_id, str(error))
            return Unresolved(str(error))

    def _location(self, logical_id: str) -> Path:
        """The local file of a nested stack. Raises TemplateError."""
        resource = self.written["Resources"].get(logical_id, {})
        location = resource.get("Properties", {}).get(_NESTED.get(resource.get("Type")))
        if not isinstance(location, str) or "://" in location:
            raise TemplateError(f"its template is no local file: {location}")
        if self.prefix.count("/") > _DEPTH:
            raise TemplateError(f"{self.file} nests itself")
        return self.path.parent / location

    def _stand_in(self, logical_id: str) -> StandIn:
        declared = self._resources[logical_id]
        return StandIn(
            name=self.prefix + logical_id,
            logical_id=logical_id,
            kind=declared["Type"],
            properties=declared.get("Properties", {}),
            stack_name=self._name,
            account=self._setting.account,
            region=self._setting.region,
            partition=self._setting.partition,
            resolve=self.resolve,
        )

    def reference(self, logical_id: str) -> Json:
        """What `Ref` gives for a resource."""
        if logical_id not in self._references:
            self._references[logical_id] = Unresolved(f"Ref {logical_id} refers to itself")
            self._references[logical_id] = self._existing(logical_id, "Ref", StandIn.reference)
        return self._references[logical_id]

    def attribute(self, logical_id: str, name: str) -> Json:
        """What `Fn::GetAtt` gives."""
        if name.startswith("Outputs.") and logical_id in self._resources:
            nested = self.nested(logical_id)
            if isinstance(nested, Unresolved):
                return nested
            return nested.output(name.removeprefix("Outputs."))
        return self._existing(logical_id, name, lambda stand_in: stand_in.attribute(name))

    def _existing(self, logical_id: str, what: str, ask: Any) -> Json:
        if logical_id not in self._resources:
            return Unresolved(f"{what} {self.prefix}{logical_id}: there is no such resource")
        if not self.exists(logical_id):
            return Unresolved(f"{self.prefix}{logical_id} is not created")
        return ask(self._stand_in(logical_id))


def _values(
    template: Mapping[str, Json], given: Mapping[str, Json], prefix: str
) -> tuple[dict[str, Json], frozenset[str]]:
    """The parameters' values, and the names of those that nobody gave."""
    declared = template.get("Parameters", {})
    missing = {
        name: assumed_value(f"{prefix}{name}", parameter)
        for name, parameter in declared.items()
        if name not in given and "Default" not in parameter
    }
    values = parameter_values(template, {**given, **missing})
    kept = (name for name in missing if not isinstance(values[name], Unresolved))
    return values, frozenset(prefix + name for name in kept)


def _as_text(value: Json) -> Json:
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _relative(path: Path, folder: Path) -> str:
    try:
        return path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return str(path)
