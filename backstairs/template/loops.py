"""`Fn::ForEach`: written out, as the transform AWS::LanguageExtensions does before SAM's.

Source: CloudFormation Template Reference, "Fn::ForEach".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from backstairs.access import Unresolved

Json = Any
Path = tuple[str | int, ...]
_LOOP = "Fn::ForEach::"
# More than CloudFormation takes in one template.
_MOST = 10_000


class LoopError(Exception):
    """A loop that cannot be written out, and why."""


@dataclass(slots=True)
class Loops:
    """Writes out the loops of a template.

    `resolve` resolves what a loop goes through. `places` holds for each part that was made where
    it is written, `problems` the loops that could not be written out, by their place, and why.
    """

    resolve: Callable[[Json], Json]
    places: dict[Path, Path] = field(default_factory=dict)
    problems: list[tuple[Path, str]] = field(default_factory=list)
    _count: int = 0

    def write_out(self, value: Json, path: Path = (), written: Path = ()) -> Json:
        """The value without loops; `path` is where it will stand, `written` where it does."""
        if isinstance(value, list):
            return [
                self.write_out(item, (*path, index), (*written, index))
                for index, item in enumerate(value)
            ]
        if not isinstance(value, dict):
            return value
        result: dict[str, Json] = {}
        for key, item in value.items():
            if not key.startswith(_LOOP):
                result[key] = self.write_out(item, (*path, key), (*written, key))
                continue
            try:
                for name, made, place in self._turns(item, (*written, key)):
                    self.places[(*path, name)] = place
                    result[name] = self.write_out(made, (*path, name), place)
            except LoopError as error:
                self.problems.append(((*path, key), str(error)))
        return result

    def _turns(self, loop: Json, written: Path) -> Iterator[tuple[str, Json, Path]]:
        """What a loop makes: name, content, and where it is written. Raises LoopError."""
        if not isinstance(loop, list) or len(loop) != 3:  # noqa: PLR2004
            raise LoopError("is no loop: an identifier, a collection and an output are expected")
        identifier, collection, output = loop
        values = self.resolve(collection)
        if not isinstance(identifier, str) or not isinstance(output, Mapping):
            raise LoopError("is no loop: an identifier, a collection and an output are expected")
        if not isinstance(values, list) or any(isinstance(one, Unresolved) for one in values):
            raise LoopError(f"goes through what is not known: {values}")
        for value in values:
            for key, item in output.items():
                self._count += 1
                if self._count > _MOST:
                    raise LoopError("makes too much")
                replace = _Replacing(identifier, str(value))
                place = (*written, 2, key)
                name = replace.text(key)
                if name.startswith(_LOOP):
                    yield from self._turns(replace.value(item), place)
                else:
                    yield name, replace.value(item), place


@dataclass(frozen=True, slots=True)
class _Replacing:
    """An identifier and what it stands for in one turn; `&{...}` without what no id may hold."""

    identifier: str
    by: str

    def text(self, text: str) -> str:
        text = text.replace(f"${{{self.identifier}}}", self.by)
        return text.replace(f"&{{{self.identifier}}}", re.sub("[^A-Za-z0-9]", "", self.by))

    def value(self, value: Json) -> Json:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value == {"Ref": self.identifier}:
            return self.by
        replaced = {self.text(key): self.value(item) for key, item in value.items()}
        if replaced.keys() == {"Fn::Sub"} and "${" not in str(replaced["Fn::Sub"]):
            return replaced["Fn::Sub"]  # SAM wants a path, say, as text
        return replaced
