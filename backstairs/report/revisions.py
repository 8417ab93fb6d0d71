"""A revision's files, taken out of git without touching work tree or index."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class RevisionError(Exception):
    """A revision that git does not have; the message says what git says."""


@contextlib.contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """A folder of a repository as a revision has it, in a temporary place.

    Raises RevisionError.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel"))
    commit = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    with tempfile.TemporaryDirectory(prefix="backstairs-") as made:
        tree = Path(made, "tree")
        index = {"GIT_INDEX_FILE": str(Path(made, "index"))}
        _git(top, "read-tree", commit, more=index)
        _git(top, "checkout-index", "--all", f"--prefix={tree}/", more=index)
        yield tree / folder.resolve().relative_to(top.resolve())


def _git(folder: Path, *arguments: str, more: dict[str, str] | None = None) -> str:
    git = shutil.which("git")
    if git is None:
        raise RevisionError("git is not installed, which alone knows revisions")
    done = subprocess.run(
        [git, "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(more or {})},
    )
    if done.returncode:
        said = (
            done.stderr.strip() or f"there is no revision {arguments[-1].removesuffix('^{commit}')}"
        )
        raise RevisionError(f"{folder}: {said}")
    return done.stdout.strip()
