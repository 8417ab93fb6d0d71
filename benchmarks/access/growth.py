"""How a decision's time grows with the statements of the policies that it weighs."""

from __future__ import annotations

import statistics
from itertools import pairwise

from benchmarks.access.inputs import long
from benchmarks.access.workers import ROOT, worker

SIZES = (1_250, 2_500, 5_000, 10_000, 20_000)
LIMIT = 2.4
TURNS = 7


def measure() -> bool:
    """Print the time of a decision on a path never seen before, and the ratio at each doubling."""
    costs = []
    for size in SIZES:
        with worker(ROOT, long(size)) as ours:
            ours.turn(1, fresh=True)
            turns = [ours.turn(max(3, 20_000 // size), fresh=True)[0] for _ in range(TURNS)]
        costs.append(statistics.median(turns))
        spread = f"{min(turns) * 1e3:.2f} to {max(turns) * 1e3:.2f}"
        print(f"growth: {2 * size:6,} statements, {costs[-1] * 1e3:6.2f} ms a decision ({spread})")
    ratios = [later / earlier for earlier, later in pairwise(costs)]
    shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"growth: when statements are doubled, the time is {shown} times as long (limit {LIMIT})")
    return max(ratios) <= LIMIT
