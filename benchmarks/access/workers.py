"""Processes that decide, from this tree and from another commit's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


class Worker:
    """A process that decides a world's calls with the package of a folder."""

    def __init__(self, folder: Path, world: Json) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"},
            text=True,
        )
        self._say(world)

    def _say(self, value: object) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the worker has no pipe")
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def turn(self, rounds: int, *, fresh: bool = False) -> tuple[float, Json]:
        """Seconds of CPU a decision, and how many calls have which verdict."""
        self._say([rounds, fresh])
        if self._process.stdout is None:
            raise RuntimeError("the worker has no pipe")
        said = json.loads(self._process.stdout.readline())
        return said["seconds"], said["verdicts"]

    def stop(self) -> None:
        """End the process."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=60)
        if self._process.stdout:
            self._process.stdout.close()


@contextmanager
def worker(folder: Path, world: Json) -> Iterator[Worker]:
    """A worker while it is needed."""
    one = Worker(folder, world)
    try:
        yield one
    finally:
        one.stop()


def checked_out(commit: str, folder: Path) -> Path:
    """The package as it was at a commit, in a folder."""
    archive = subprocess.run(
        ["git", "archive", commit, "backstairs"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    subprocess.run(["tar", "--extract"], cwd=folder, input=archive, check=True)
    return folder
