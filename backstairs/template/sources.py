"""Where the parts of a template stand in its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from backstairs.access import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = Any
Path = tuple[str | int, ...]
_MARK = "BackstairsStatement"


class Written(dict[str, Any]):
    """A mapping that knows where it is written: a policy's statement."""

    __slots__ = ("source",)

    def __init__(self, content: Mapping[str, Any], source: Source) -> None:
        super().__init__(content)
        self.source = source


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one template's text; `root` is its YAML as it was composed.

    What was put in from elsewhere, or made of something written elsewhere, is grafted.
    """

    file: str
    root: yaml.Node | None
    _grafts: dict[Path, tuple[Lines, Path]] = field(default_factory=dict)

    def graft(self, path: Path, lines: Lines, written: Path = ()) -> None:
        """From now on what is below a path stands in `lines`, below `written`."""
        self._grafts[path] = (lines, written)

    def at(self, *path: str | int, made_by: str | None = None) -> Source:
        """Where the deepest part of a path that is written stands."""
        lines, written = self._grafted(path)
        if lines is not self:
            return lines.at(*written, made_by=made_by)
        node, line = self.root, 0
        for part in written:
            found = _below(node, part)
            if found is None:
                break
            line, node = found
        return Source(self.file, line + 1, made_by)

    def has(self, *path: str | int) -> bool:
        """Whether something is written at a path."""
        lines, written = self._grafted(path)
        if lines is not self:
            return lines.has(*written)
        node = self.root
        for part in written:
            found = _below(node, part)
            if found is None:
                return False
            _, node = found
        return True

    def _grafted(self, path: Path) -> tuple[Lines, Path]:
        for length in range(len(path), 0, -1) if self._grafts else ():
            if path[:length] in self._grafts:
                lines, written = self._grafts[path[:length]]
                return lines, (*written, *path[length:])
        return self, path


def _below(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    """The line of a part of a node, from 0, and the part."""
    if isinstance(part, str) and node is not None and node.tag == f"!{part.removeprefix('Fn::')}":
        return node.start_mark.line, node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line, node.value[part]
    return None


class Marks:
    """Marks on a template's statements that survive SAM, which keeps a Sid as it is."""

    def __init__(self) -> None:
        self._marked: list[tuple[Source, Json]] = []

    def put(self, value: Json, lines: Lines, path: Path = ()) -> Json:
        """A copy of what is written at a path, with every statement in it marked."""
        if isinstance(value, list):
            return [self.put(item, lines, (*path, index)) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        copied = {key: self.put(item, lines, (*path, key)) for key, item in value.items()}
        if "Effect" in value and value.keys() & {"Action", "NotAction"}:
            self._marked.append((lines.at(*path), value.get("Sid")))
            copied["Sid"] = f"{_MARK}{len(self._marked) - 1}"
        return copied

    def take(self, value: Json) -> Json:
        """The value with its statements' own Sids, each statement as `Written`."""
        if isinstance(value, list):
            return [self.take(item) for item in value]
        if not isinstance(value, dict):
            return value
        content = {key: self.take(item) for key, item in value.items()}
        sid = content.get("Sid")
        if not isinstance(sid, str) or not sid.startswith(_MARK):
            return content
        source, own = self._marked[int(sid.removeprefix(_MARK))]
        if own is None:
            del content["Sid"]
        else:
            content["Sid"] = own
        return Written(content, source)
