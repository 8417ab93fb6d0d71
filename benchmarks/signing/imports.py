"""What an import costs: the core above the modules it needs, a session above `requests`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 31
CORE, SESSION = "signing.sigv4 above hashlib, hmac, urllib.parse", "signing above requests"
CORE_LIMIT = 1.0  # milliseconds of CPU
SESSION_LIMIT = 0.05  # of what `requests` takes
CASES = {
    CORE: ("import hashlib, hmac, urllib.parse", "import signing.sigv4"),
    SESSION: (
        "import requests; requests.Session()",
        """
from signing import PrivateApi, deadline, path
PrivateApi(url="https://a.example", region="r").session()
""",
    ),
}


def milliseconds(first: str, second: str, environment: dict[str, str]) -> list[float]:
    """Run two pieces of code in a new interpreter; returns the CPU and wall time of each."""
    code = f"""
from time import perf_counter as wall, process_time as cpu
a, b = cpu(), wall()
{first}
c, d = cpu(), wall()
{second}
e, f = cpu(), wall()
print((c - a) * 1000, (d - b) * 1000, (e - c) * 1000, (f - d) * 1000)
"""
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return [float(figure) for figure in run.stdout.split()]


def measure() -> bool:
    """Print medians in milliseconds, of compiled modules; say whether the limits hold."""
    good = True
    print("\nimport, ms of CPU (wall) in a new interpreter")
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for name, code in CASES.items():
            rounds = [milliseconds(*code, environment) for _ in range(ROUNDS + 1)][1:]
            below, below_wall, above, above_wall = map(statistics.median, zip(*rounds, strict=True))
            limit = CORE_LIMIT if name == CORE else SESSION_LIMIT * below
            good &= above <= limit
            print(
                f"{name:48}{above:5.2f} ({above_wall:5.2f}) above {below:6.1f} ({below_wall:6.1f}),"
                f" limit {limit:.2f}"
            )
    return good
