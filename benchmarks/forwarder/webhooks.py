"""What the webhooks function loads before it makes a client, above bare Python, now and before.

Before is a commit of this repository, as `git archive` gives it; each start is a new process.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BASELINE = "de6a662"
ROUNDS = 15
LIMIT = 0.5
ROOT = Path(__file__).parents[2]
RUNTIME = Path(sys.prefix).parent / "runtime" / "bin" / "python"
PACKAGES = next(path for path in map(Path, sys.path) if path.name == "site-packages")
IMPORT = "import forwarder.webhooks"


def start(code: str, tree: Path) -> float:
    """Seconds of processor of a new interpreter that runs code with a tree's function and layer."""
    folders = (tree / "functions" / "forwarder", tree / "layers" / "signing", PACKAGES)
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    process = subprocess.Popen([str(RUNTIME), "-c", code], env=environment, cwd=tree)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{tree}: {code}: {process.returncode}")
    return used.ru_utime + used.ru_stime


def compare_webhooks() -> bool:
    """Measure both trees in turn; whether ours keeps to its limit."""
    pack = ["git", "archive", BASELINE, "functions/forwarder", "layers/signing"]
    archive = subprocess.run(pack, cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        print(f"webhooks       no commit {BASELINE} to compare with: git fetch --unshallow")
        return False
    with tempfile.TemporaryDirectory() as folder:
        unpack = ["tar", "--extract", "--directory", folder]
        subprocess.run(unpack, input=archive.stdout, check=True)
        before = Path(folder)
        for tree in (ROOT, before):
            start(IMPORT, tree)  # compiles
        rounds = []
        for number in range(ROUNDS):
            order = (ROOT, before) if number % 2 else (before, ROOT)
            bare = start("pass", before)
            rounds.append({tree: start(IMPORT, tree) - bare for tree in order})
    for tree, label in ((ROOT, "now"), (before, BASELINE)):
        times = sorted(one[tree] * 1000 for one in rounds)
        middle = statistics.median(times)
        print(f"webhooks       {label:8} {middle:4.0f} ms  ({times[0]:.0f} to {times[-1]:.0f})")
    ratios = sorted(one[ROOT] / one[before] for one in rounds)
    ratio = statistics.median(ratios)
    print(
        f"webhooks       above bare Python, before any client: ratio {ratio:.2f} "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f}), at most {LIMIT:.2f}"
    )
    return ratio <= LIMIT
