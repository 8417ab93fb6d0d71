"""Sources that change while the application runs: its functions run them from the next call on."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from backstairs.local.kept import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from backstairs.runtime.pool import Function, Pool

_LOOK_SECONDS = 0.25
# What only a build takes in.
_FOR_THE_BUILD = {"requirements.txt", "Makefile", "pyproject.toml", "package.json"}

Seen = dict["Path", tuple[int, int]]


class Watch:
    """Looks at folders of sources, and at files that only a new start can take in.

    Which function runs which folder is told by the content: its package, or a layer's `python/`,
    has every file of it. `say` is given one line for each change.
    """

    def __init__(
        self,
        root: Path,
        sources: Iterable[str],
        common: Iterable[str],
        pools: Mapping[str, Pool],
        say: Callable[[str], None],
    ) -> None:
        self._root, self._pools, self._say = root, pools, say
        self._folders = [root / one for one in sources if (root / one).is_dir()]
        self._common = [root / one for one in common if (root / one).is_file()]
        self._seen = self._look()
        # By the folder of sources: where a copy of it lies, with the functions that use it.
        self._copies = {folder: self._copies_of(folder) for folder in self._folders}

    async def run(self) -> None:
        """Follow the changes until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = await asyncio.to_thread(self._look)
            changed = [
                path
                for path in sorted({*now, *self._seen})
                if now.get(path) != self._seen.get(path)
            ]
            self._seen = now
            for folder in self._folders:
                inside = [path for path in changed if path.is_relative_to(folder)]
                if inside:
                    await self._renew(folder, inside)
            for path in changed:
                if path in self._common:
                    self._say_that_it_needs_a_start(path)

    async def _renew(self, folder: Path, changed: Iterable[Path]) -> None:
        copies = self._copies[folder]
        taken = []
        for path in changed:
            if path.name in _FOR_THE_BUILD or not copies:
                self._say_that_it_needs_a_start(path)
                continue
            for copy in copies:
                await asyncio.to_thread(_put, path, copy / path.relative_to(folder))
            taken.append(str(path.relative_to(self._root)))
        if not taken:
            return
        used = [pool for pool in self._pools.values() if _folders_of(pool.function) & copies]
        for pool in used:
            # Another object, so that what runs with the one before is known by it.
            pool.renew(replace(pool.function))
        names = ", ".join(sorted(pool.function.label for pool in used))
        self._say(
            f"changed: {', '.join(taken)}: run from the next call on by {names}. This is local: "
            "what is deployed stays as it was until the next `make up`"
        )

    def _say_that_it_needs_a_start(self, path: Path) -> None:
        name = path.relative_to(self._root)
        self._say(f"changed: {name}: it takes a new start: Ctrl-C, then `make up`")

    def _look(self) -> Seen:
        found: Seen = {}
        for place in (*self._folders, *self._common):
            for path in files(place):
                try:
                    about = path.stat()
                except FileNotFoundError:
                    continue
                found[path] = (about.st_mtime_ns, about.st_size)
        return found

    def _copies_of(self, folder: Path) -> set[Path]:
        own = [path for path in files(folder) if path.name not in _FOR_THE_BUILD]
        if not any(path.stat().st_size for path in own):
            return set()
        places = {place for pool in self._pools.values() for place in _folders_of(pool.function)}
        return {
            place
            for place in places
            if all(_is_same(path, place / path.relative_to(folder)) for path in own)
        }


def _folders_of(function: Function) -> set[Path]:
    return {function.code, *(layer / "python" for layer in function.layers)}


def _is_same(path: Path, copy: Path) -> bool:
    return copy.is_file() and copy.read_bytes() == path.read_bytes()


def _put(path: Path, copy: Path) -> None:
    """Make a copy what its source is now; or remove it, as the source was."""
    # Python tells old bytecode by size and second, which an edit in the same second would miss.
    for compiled in copy.parent.glob(f"__pycache__/{copy.stem}.*.pyc"):
        compiled.unlink(missing_ok=True)
    if not path.exists():
        copy.unlink(missing_ok=True)
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    new = copy.with_name(f"{copy.name}.new")
    shutil.copyfile(path, new)
    new.replace(copy)
