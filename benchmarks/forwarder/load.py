"""Calls one way and another, in turn, fifty at a time and one after another.

python -m benchmarks.forwarder.load URL CERTIFICATE-OF-THE-AUTHORITY
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.forwarder import ways

ROUNDS = 9
SECONDS = 1.5  # of a round, long enough for every client to be there for nearly all of it
CLIENTS = (50, 1)
Way = Callable[[], int]


def one_client(way: Way, everybody: threading.Barrier, seconds: list[float]) -> None:
    """Call one after another until the round is over; adds each call's seconds."""
    everybody.wait()
    end = time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        if way() != 200:  # noqa: PLR2004 - what the backend always answers
            raise SystemExit("not answered")
        seconds.append(time.perf_counter() - start)


def measure(way: Way, clients: int) -> tuple[float, float, float]:
    """Run one round; returns p50 in ms, requests a second, and how many were under way at once."""
    everybody = threading.Barrier(clients + 1)
    each: list[list[float]] = [[] for _ in range(clients)]
    threads = [threading.Thread(target=one_client, args=(way, everybody, one)) for one in each]
    for thread in threads:
        thread.start()
    everybody.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    if not all(each):
        raise SystemExit("a client was not answered")
    seconds = [one for client in each for one in client]
    return statistics.median(seconds) * 1000, len(seconds) / elapsed, sum(seconds) / elapsed


def spread(values: list[float]) -> str:
    """The median, and between what the rounds were."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def compare(each: dict[str, Way], clients: int) -> bool:
    """Measure all ways in turn; whether ours keeps to its limits."""
    rounds = []
    for number in range(ROUNDS):
        order = list(each) if number % 2 else list(each)[::-1]
        rounds.append({name: measure(each[name], clients) for name in order})
    for name in each:
        p50, rate, at_once = (statistics.median(one[name][i] for one in rounds) for i in range(3))
        figures = f"p50 {p50:7.2f} ms  {rate:5.0f}/s  {at_once:4.1f} under way"
        print(f"{clients:2} at a time  {name:8} {figures}")
    times = [one["ours"][0] / one["article"][0] for one in rounds]
    rates = [one["ours"][1] / one["article"][1] for one in rounds]
    added = [one["ours"][0] / one["floor"][0] - 1 for one in rounds]
    print(f"{clients:2} at a time  p50, ours/article:         {spread(times)}, at most 0.40")
    print(f"{clients:2} at a time  requests/s, ours/article:  {spread(rates)}, at least 2.50")
    print(f"{clients:2} at a time  time added over the floor: {spread(added)}, below 0.25")
    middle = statistics.median
    return middle(times) <= 0.4 and middle(rates) >= 2.5 and middle(added) < 0.25  # noqa: PLR2004


def main(url: str, authority: Path) -> int:
    """Print the figures; 1 where one is beyond its limit."""
    each: dict[str, Way] = {
        "ours": ways.ours(url, authority),
        "article": ways.article(url, authority),
        "floor": ways.floor(url, authority),
    }
    for way in each.values():
        measure(way, CLIENTS[0])
    kept = [compare(each, clients) for clients in CLIENTS]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2])))
