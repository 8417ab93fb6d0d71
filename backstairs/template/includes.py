"""Macros of a template: local files that AWS::Include brings are put in, the others are named.

Source: CloudFormation Template Reference, "AWS::Include transform": what a file holds takes the
place of `Fn::Transform`, beside what else stands there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backstairs.template.load import TemplateError, load_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path as File

    from backstairs.template.sources import Lines, Marks

Json = Any
Path = tuple[str | int, ...]
_MACRO = "Fn::Transform"


@dataclass(slots=True)
class Includes:
    """Puts in what local files hold.

    `resolve` resolves their names. `problems` are the macros that are not read: place and why.
    """

    folder: File
    shown: Callable[[File], str]
    resolve: Callable[[Json], Json]
    lines: Lines
    marks: Marks
    problems: list[tuple[Path, str]] = field(default_factory=list)

    def put_in(self, value: Json, path: Path = ()) -> Json:
        """The value with what it includes; a macro that is not read is left out."""
        if isinstance(value, list):
            return [self.put_in(item, (*path, index)) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        content = {
            key: self.put_in(item, (*path, key)) for key, item in value.items() if key != _MACRO
        }
        if _MACRO not in value:
            return content
        macros = value[_MACRO]
        for macro in macros if isinstance(macros, list) else [macros]:
            try:
                included = self._included(macro, path)
            except TemplateError as error:
                self.problems.append((path, str(error)))
                if not content:
                    return {_MACRO: macro}
                continue
            if not content and not isinstance(included, dict):
                return included
            content |= included if isinstance(included, dict) else {}
        return content

    def _included(self, macro: Json, path: Path) -> Json:
        """What a file holds. Raises TemplateError."""
        name = macro.get("Name") if isinstance(macro, dict) else macro
        if name != "AWS::Include":
            raise TemplateError(f"the macro {name} may make anything of it")
        parameters = macro.get("Parameters")
        location = self.resolve(
            parameters.get("Location") if isinstance(parameters, dict) else None
        )
        if not isinstance(location, str) or "://" in location:
            raise TemplateError(f"includes what is no local file: {location}")
        return self.read(self.folder / location, path)

    def read(self, file: File, path: Path) -> Json:
        """What a file holds, with its lines for what will stand at a path. Raises TemplateError."""
        value, lines = load_text(file, self.shown(file))
        self.lines.graft(path, lines)
        return self.marks.put(value, lines)
