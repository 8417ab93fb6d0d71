"""From `backstairs up` to the first admitted call: an earlier commit and this tree.

    .venv/local/bin/python -m benchmarks.start [--rounds 5] [--before de6a662]

Both are copied into a temporary folder, each with the environments that its own `make install`
makes, and take turns in one run. Printed are medians of the seconds on the clock, of the seconds
of CPU that every process of the run took until then, and this tree's share of the earlier.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from benchmarks.start.call import admitted, answered, running
from benchmarks.start.cpu import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable

Where = dict[str, Any]
Up = subprocess.Popen[bytes]
Found = TypeVar("Found")

ROOT = Path(__file__).parents[2]
LIMITS = {"nothing changed": 0.2, "one function changed": 0.3, "from nothing": 0.5}
SOURCE = "functions/claim_types/claim_types/catalogue.py"
OLD, NEW = "Treatment abroad", "Treatment far away"
BASE = f"{sys.base_prefix}/bin"
_READY = "Ctrl-C ends everything"
_AT_MOST = 600


class Tree:
    """A copy of the project with environments of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.edits = 0

    def install(self) -> None:
        python = shutil.which(f"python3.{sys.version_info.minor}", path=BASE) or "python3"
        subprocess.run(["make", "install", f"PYTHON={python}"], cwd=self.folder, check=True)

    def clean(self) -> None:
        for name in (".aws-sam", ".backstairs"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def edit(self) -> None:
        self.edits += 1
        path = self.folder / SOURCE
        path.write_text(f"{path.read_text('utf-8')}# edit {self.edits}\n", "utf-8")

    def up(self, *, watched: bool = False) -> tuple[float, float, float | None]:
        """Start it and end it; returns the seconds, and those of CPU, to the first admitted call.

        With `watched`, also the seconds from a change of a source to the call that shows it.
        """
        (self.folder / ".backstairs" / "run.json").unlink(missing_ok=True)
        with (self.folder / "up.log").open("w+b") as log:
            begun = time.monotonic()
            process = subprocess.Popen(
                [self.folder / ".venv/local/bin/backstairs", "up"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                where = self._wait(process, lambda: running(self.folder)) or {}
                self._wait(process, lambda: admitted(where))
                took, cpu = time.monotonic() - begun, seconds_of(process.pid)
                self._wait(
                    process, lambda: _READY.encode() in (self.folder / "up.log").read_bytes()
                )
                return took, cpu, self._seen(where, process) if watched else None
            finally:
                process.terminate()
                process.wait(timeout=60)

    def _seen(self, where: Where, process: Up) -> float:
        time.sleep(1)  # it begins to look at sources when all else is done
        path = self.folder / SOURCE
        text = path.read_text("utf-8")
        begun = time.monotonic()
        path.write_text(text.replace(OLD, NEW), "utf-8")
        self._wait(process, lambda: NEW.encode() in answered(where, "/claim-types"))
        took = time.monotonic() - begun
        path.write_text(text, "utf-8")
        return took

    def _wait(self, process: Up, condition: Callable[[], Found]) -> Found:
        until = time.monotonic() + _AT_MOST
        while not (found := condition()):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit((self.folder / "up.log").read_text("utf-8"))
            time.sleep(0.02)
        return found


Seen = dict[str, dict[Tree, list[tuple[float, float]]]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--before", default="de6a662", help="the earlier commit")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="backstairs-start-") as folder:
        before, after = Tree(Path(folder, "before")), Tree(Path(folder, "after"))
        _archive(options.before, before.folder)
        _working_tree(after.folder)
        for tree in (before, after):
            tree.install()
        _compare(before, after, options.rounds)


def _compare(before: Tree, after: Tree, rounds: int) -> None:
    seen: Seen = {name: {before: [], after: []} for name in LIMITS}
    watched = []
    for number in range(1, rounds + 1):
        for tree in (before, after):
            tree.clean()
            seen["from nothing"][tree].append(tree.up()[:2])
            _tell(number, "from nothing", tree, seen)
        for tree in (before, after):
            *figures, saw = tree.up(watched=tree is after)
            seen["nothing changed"][tree].append((figures[0], figures[1]))
            watched += [] if saw is None else [saw]
            _tell(number, "nothing changed", tree, seen)
        for tree in (before, after):
            tree.edit()
            seen["one function changed"][tree].append(tree.up()[:2])
            _tell(number, "one function changed", tree, seen)
    for name, limit in LIMITS.items():
        clock = [statistics.median(one[0] for one in seen[name][tree]) for tree in (before, after)]
        cpu = [statistics.median(one[1] for one in seen[name][tree]) for tree in (before, after)]
        ratio = clock[1] / clock[0]
        print(
            f"{name:21} {clock[0]:6.1f} s -> {clock[1]:5.1f} s: {ratio:.2f} "
            f"(at most {limit}: {'yes' if ratio <= limit else 'NO'}); "
            f"CPU {cpu[0]:.1f} s -> {cpu[1]:.1f} s: {cpu[1] / cpu[0]:.2f}"
        )
    print(f"a changed source serves a call after {statistics.median(watched):.2f} s (at most 1)")
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        print("PYTHONDONTWRITEBYTECODE is set: what no installation has compiled stays so.")


def _tell(number: int, name: str, tree: Tree, seen: Seen) -> None:
    clock, cpu = seen[name][tree][-1]
    print(f"{number}: {name}, {tree.folder.name}: {clock:.1f} s, CPU {cpu:.1f} s", flush=True)


def _archive(commit: str, folder: Path) -> None:
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    subprocess.run(["tar", "--extract", "--directory", folder], input=archive, check=True)


def _working_tree(folder: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


if __name__ == "__main__":
    main()
