"""What an import costs: the core above the modules it needs, a session above `requests`."""

from __future__ import annotations

import statistics
import subprocess
import sys

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


def milliseconds(first: str, second: str) -> list[float]:
    """Run two lines of code in a new interpreter; returns what each took there."""
    clock = "clock()"
    code = f"from time import perf_counter as clock\na = {clock}\n{first}\nb = {clock}\n{second}\n"
    code += f"c = {clock}\nprint((b - a) * 1000, (c - b) * 1000)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [float(figure) for figure in run.stdout.split()]


def measure() -> bool:
    """Print medians in milliseconds; say whether the limit on the session holds."""
    rounds = [{name: milliseconds(*code) for name, code in CASES.items()} for _ in range(ROUNDS)]
    print("\nimport, ms in a new interpreter")
    share = 0.0
    for name in CASES:
        below, above = (statistics.median(each[name][part] for each in rounds) for part in (0, 1))
        share = above / below
        print(f"{name:50}{above:6.1f} above {below:6.1f} ({share:+.1%})")
    print(f"limit for a session: {LIMIT:+.1%}")
    return share < LIMIT
