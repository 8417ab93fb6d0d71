"""Nobody else, by search and by brute force: small made-up applications, until the time is over.

    python -m benchmarks.access.worlds [SECONDS] [FIRST SEED]

Every request of a world is decided, and compared with what the search says of all of them: what is
open outside the world's claim has a witness, and every witness is one. No part of CI.
"""

from __future__ import annotations

import sys
import time
from itertools import count
from random import Random

from tests.report.worlds import disagreements, drawn


def main(seconds: float = 60, first: int = 0) -> int:
    """Print how many requests of how many worlds agree; 1 if some do not."""
    ends = time.monotonic() + seconds
    worlds = requests = wrong = 0
    for seed in count(first):
        if time.monotonic() > ends:
            break
        number, found = disagreements(drawn(Random(seed)))  # noqa: S311 - a world, no secret
        worlds, requests, wrong = worlds + 1, requests + number, wrong + len(found)
        for text in found[:3]:
            print(f"seed {seed}: {text}", flush=True)
    print(f"{worlds} worlds, {requests} requests, {wrong} disagreements")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
