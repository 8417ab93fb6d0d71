"""What an earlier run deployed, so that the next one need not do it again.

Beside the snapshot of the account there is a record of everything that was deployed: whether it
still is what would be deployed is decided by content alone. As with `sam build`'s own cache, a
function's sources are the folder that its template names, and no file elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
from dataclasses import asdict, dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

import backstairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_FORMAT = 1
_SNAPSHOT, _RECORD = "account.snapshot", "deployed.json"
_NOT_BUILT = {"__pycache__", ".aws-sam", ".backstairs", ".git", ".venv"}
_CACHES = re.compile(r"\.[a-z]+_cache")

try:
    _Loader: type = yaml.CSafeLoader
except AttributeError:  # a yaml without libyaml
    _Loader = yaml.SafeLoader


@dataclass(frozen=True, slots=True)
class Inputs:
    """Digests of all that a deployment comes from, by what people call it.

    `common` are the templates, the settings and the programs; `sources` the folders and files that
    each stack's template names.
    """

    common: Mapping[str, str]
    sources: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, root: Path, templates: Sequence[str], programs: Sequence[str]) -> Inputs:
        """Those of the templates (paths below `root`), deployed by `programs` (their paths)."""
        common: dict[str, str] = {}
        sources: dict[str, dict[str, str]] = {}
        for template in templates:
            own = sources.setdefault(template, {})
            for path in (root / template, *_named(root / template, root)):
                chosen = common if _is_template(path) else own
                chosen[os.path.relpath(path, root)] = _digest(path)
        settings = root / "samconfig.toml"
        if settings.is_file():
            common["samconfig.toml"] = _digest(settings)
        common["the AWS SAM CLI, or what it uses"] = _sha256("\n".join(_installed(programs)))
        common["backstairs, or what it uses"] = _sha256("\n".join(_own()))
        given = (f"{name}={value}" for name, value in os.environ.items() if name.startswith("SAM_"))
        common["the environment (SAM_...)"] = _sha256("\n".join(sorted(given)))
        return cls(common, sources)

    def changed(self, before: Inputs) -> list[str]:
        """What of the common is another than before."""
        names = sorted({*self.common, *before.common})
        return [name for name in names if self.common.get(name) != before.common.get(name)]

    def changed_sources(self, before: Inputs, template: str) -> list[str]:
        """What of a stack's sources is another than before."""
        now, then = self.sources[template], before.sources.get(template, {})
        return [name for name in sorted({*now, *then}) if now.get(name) != then.get(name)]


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot of an account, and what was deployed into it: each stack's parameters by name."""

    root: str
    port: int
    snapshot: str
    inputs: Inputs
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    format: int = _FORMAT

    def write(self, state: Path) -> None:
        """Write the record; the snapshot must be there already."""
        new = state / f"{_RECORD}.new"
        new.touch(mode=0o600)
        new.write_text(json.dumps(asdict(self)), "utf-8")
        new.replace(state / _RECORD)

    @classmethod
    def read(cls, state: Path, root: Path) -> Kept:
        """Read the record, if the snapshot is the one it is about. Raises ValueError with why not.

        Neither may be anybody else's: who can write them could make an account of their own.
        """
        for path in (state, state / _RECORD, snapshot_file(state)):
            try:
                found = path.lstat()
            except FileNotFoundError:
                raise ValueError("nothing is kept of an earlier run") from None
            if stat.S_ISLNK(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
                raise ValueError(f"others can write {path}")
        try:
            said = json.loads((state / _RECORD).read_text("utf-8"))
            said["inputs"] = Inputs(**said["inputs"])
            kept = cls(**said)
        except (ValueError, KeyError, TypeError, OSError):
            raise ValueError(f"{_RECORD} cannot be read") from None
        if kept.format != _FORMAT or kept.root != str(root):
            raise ValueError("what is kept is of another version or another folder")
        if kept.snapshot != digest_of_snapshot(state):
            raise ValueError(f"{_SNAPSHOT} is not the one that was kept")
        return kept


def snapshot_file(state: Path) -> Path:
    """Where the account's state is put away."""
    return state / _SNAPSHOT


def digest_of_snapshot(state: Path) -> str:
    """The digest of the snapshot that is there."""
    with snapshot_file(state).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def clear(state: Path) -> None:
    """Forget what is kept."""
    for name in (_RECORD, _SNAPSHOT):
        (state / name).unlink(missing_ok=True)


def is_kept(path: Path) -> bool:
    """Whether a file of the state folder is for the next run."""
    return path.name in (_RECORD, _SNAPSHOT)


def _named(template: Path, root: Path) -> list[Path]:
    """The files and folders that a template names, and those that templates among them name."""
    found: dict[Path, None] = {}
    waiting = [template]
    while waiting:
        reading = waiting.pop()
        for text in _texts(reading):
            path = Path(os.path.normpath(reading.parent / text))
            if path not in found and path != template and _exists(path, root):
                found[path] = None
                if _is_template(path):
                    waiting.append(path)
    return list(found)


def _exists(path: Path, root: Path) -> bool:
    try:
        return path.is_relative_to(root) and path.exists()
    except (OSError, ValueError):  # a text that no path can be
        return False


def _is_template(path: Path) -> bool:
    return path.suffix in {".yaml", ".yml", ".json", ".template"} and path.is_file()


def _texts(template: Path) -> Iterator[str]:
    """Every text in a template; and, for a function that names no folder, the template's own."""
    try:
        whole = yaml.compose(template.read_text("utf-8"), Loader=_Loader)
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        return
    yield from _scalars(whole)
    yield from ("." for _ in _nameless(whole))


def _scalars(node: yaml.Node | None) -> Iterator[str]:
    if isinstance(node, yaml.ScalarNode):
        if node.value and "\n" not in node.value:
            yield node.value
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _scalars(one)
    elif isinstance(node, yaml.MappingNode):
        for _, one in node.value:
            yield from _scalars(one)


def _nameless(whole: yaml.Node | None) -> Iterator[yaml.Node]:
    for resource in _children(_children(whole).get("Resources")).values():
        members = _children(resource)
        kind = members.get("Type")
        is_function = isinstance(kind, yaml.ScalarNode) and kind.value.endswith("::Function")
        named = _children(members.get("Properties")).keys() & {"CodeUri", "Code", "InlineCode"}
        if is_function and not named:
            yield resource


def _children(node: yaml.Node | None) -> dict[str, yaml.Node]:
    return {key.value: one for key, one in node.value} if isinstance(node, yaml.MappingNode) else {}


def files(folder: Path) -> Iterator[Path]:
    """The files of a folder that are built, in a stable order; of a file, itself."""
    if folder.is_file():
        yield folder
        return
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(
            name for name in folders if name not in _NOT_BUILT and not _CACHES.fullmatch(name)
        )
        yield from (Path(place, name) for name in sorted(names) if not name.endswith(".pyc"))


def _digest(path: Path) -> str:
    whole = hashlib.sha256()
    for file in files(path):
        mode = file.stat().st_mode & 0o111 if file.exists() else 0
        content = file.read_bytes() if file.is_file() else b""
        whole.update(f"{file.relative_to(path)}\0{mode}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _installed(programs: Sequence[str]) -> Iterator[str]:
    """What a program is: its file, and the packages beside it."""
    for program in programs:
        file = Path(program).resolve()
        found = file.stat()
        yield f"{file} {found.st_size} {found.st_mtime_ns}"
        packages = Path(program).parent.parent.glob("lib/python3*/site-packages/*.dist-info")
        yield from sorted(package.name for package in packages)


def _own() -> Iterator[str]:
    yield sys.version
    yield from sorted(f"{one.name} {one.version}" for one in distributions())
    folder = Path(backstairs.__file__).parent
    yield from (
        f"{file.relative_to(folder)} {_sha256(file.read_text('utf-8'))}"
        for file in files(folder)
        if file.suffix == ".py"
    )
