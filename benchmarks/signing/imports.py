"""What an import costs: the core above the modules it needs, a session above `requests`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 31
LIMIT = 0.05
SESSION = """
from signing import PrivateApi, deadline, path
PrivateApi(url="https://a.example", region="r").session()
"""
CASES = {
    "signing.sigv4 above hashlib, hmac, urllib.parse": (
        "import hashlib, hmac, urllib.parse",
        "import signing.sigv4",
    ),
    "signing above requests": ("import requests; requests.Session()", SESSION),
}


def milliseconds(first: str, second: str, environment: dict[str, str]) -> list[float]:
    """Run two lines of code in a new interpreter; returns what each took there."""
    code = f"from time import perf_counter as now\na = now()\n{first}\nb = now()\n{second}\n"
    code += "c = now()\nprint((b - a) * 1000, (c - b) * 1000)"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return [float(figure) for figure in run.stdout.split()]


def measure() -> bool:
    """Print medians in milliseconds, of compiled modules; say whether a session keeps the limit."""
    added = 0.0
    print("\nimport, ms in a new interpreter")
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for name, code in CASES.items():
            rounds = [milliseconds(*code, environment) for _ in range(ROUNDS + 1)][1:]
            below = statistics.median(part for part, _ in rounds)
            above = statistics.median(part for _, part in rounds)
            added = above / below
            print(f"{name:50}{above:6.1f} above {below:6.1f} ({added:+.1%})")
    print(f"limit for a session: {LIMIT:+.1%}")
    return added < LIMIT
