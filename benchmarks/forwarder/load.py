"""Calls one way and another, in turn: one at a time, and eight, each client its own process.

Each way asks the same backend, rounds of them alternate, and a verdict is the median of the rounds'
ratios. It is about the time that passes: a caller waits for it, and Lambda bills it. The
processor's is printed beside: it depends less on what else runs, but leaves out the wait for the
backend, which is half of what a raw socket does.

Eight clients are eight processes, as eight calls at once are in Lambda. There each has its share of
processors; here they wait for one another where there are fewer than nine, and then for longer the
more each uses. So what is said of eight on a small machine is more than what Lambda would do.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Self

WAYS = ("ours", "http.client", "raw", "usual")
"""Of ways.py, which takes the function's own path."""

ROOT = Path(__file__).parents[2]
CODE = (ROOT / "functions" / "forwarder", ROOT / "layers" / "signing")
ROUNDS = 15
CLIENTS = {1: 200, 8: 40}
"""Clients at once, and the calls of each in a round."""
SLOW = {"usual": 10}
"""Ways of which one call takes as long as so many of the others: they make as many fewer."""
# Ours against each, by the median of a call's time.
LIMITS = {"http.client": 0.75, "raw": 2.5, "usual": 0.25}


class Client:
    """A process that calls one way when told to."""

    def __init__(self, way: str, url: str, authority: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.forwarder.client", way, url, str(authority)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *CODE)))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def begin(self, calls: int) -> None:
        """Have it make so many calls."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        self._process.stdin.write(f"{calls}\n")
        self._process.stdin.flush()

    def end(self) -> tuple[float, float]:
        """The medians of a call: seconds of processor, seconds."""
        assert self._process.stdout is not None  # noqa: S101 - likewise
        processor, median = json.loads(self._process.stdout.readline())
        return processor, median


def measure(clients: list[Client], calls: int) -> tuple[float, float]:
    """One round of one way."""
    for client in clients:
        client.begin(calls)
    each = [client.end() for client in clients]
    return statistics.mean(one[0] for one in each), statistics.median(one[1] for one in each)


def compare(each: dict[str, list[Client]], at_once: int) -> bool:
    """Measure all ways in turn; whether ours keeps to its limits."""
    rounds = []
    for number in range(ROUNDS):
        order = list(each) if number % 2 else list(each)[::-1]
        rounds.append(
            {
                name: measure(each[name][:at_once], CLIENTS[at_once] // SLOW.get(name, 1))
                for name in order
            }
        )
    for name in each:
        processor, median = (
            statistics.median(one[name][which] * 1e6 for one in rounds) for which in (0, 1)
        )
        print(f"{at_once} at a time  {name:11} p50 {median:6.0f} us  processor {processor:6.0f} us")
    is_kept = True
    for name, limit in LIMITS.items():
        used = statistics.median(one["ours"][0] / one[name][0] for one in rounds)
        passed = sorted(one["ours"][1] / one[name][1] for one in rounds)
        ratio = statistics.median(passed)
        print(
            f"{at_once} at a time  ours/{name:11} {ratio:.2f} ({passed[0]:.2f} to "
            f"{passed[-1]:.2f}), at most {limit:.2f}; by the processor {used:.2f}"
        )
        is_kept = is_kept and ratio <= limit
    return is_kept


def compare_loads(url: str, authority: Path) -> bool:
    """Print the figures; whether all are within their limits."""
    each = {name: [Client(name, url, authority) for _ in range(max(CLIENTS))] for name in WAYS}
    try:
        for name, clients in each.items():
            measure(clients, 20 // SLOW.get(name, 1))
        is_kept = [compare(each, at_once) for at_once in CLIENTS]
        return all(is_kept)
    finally:
        for clients in each.values():
            for client in clients:
                client.__exit__()
