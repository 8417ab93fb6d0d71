"""Decisions a second on the application's own policies, against an earlier commit."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks.access.inputs import own
from benchmarks.access.workers import ROOT, checked_out, worker

BEFORE = "de6a662"
LIMIT = 2.0
ROUNDS, TURNS = 15, 15


def measure() -> bool:
    """Print both and their ratio, of calls that come again and of paths never seen before."""
    world = own()
    with tempfile.TemporaryDirectory(prefix="backstairs-before-") as folder:
        before = checked_out(BEFORE, Path(folder))
        with worker(before, world) as theirs, worker(ROOT, world) as ours:
            results = {
                name: [
                    (theirs.turn(ROUNDS, fresh=fresh), ours.turn(ROUNDS, fresh=fresh))
                    for _ in range(TURNS)
                ]
                for name, fresh in (("the same calls again", False), ("a new path each", True))
            }
    held = True
    for name, turns in results.items():
        ratios = sorted(old / new for (old, _), (new, _) in turns)
        old, new = (statistics.median(turn[side][0] for turn in turns) for side in (0, 1))
        middle = statistics.median(ratios)
        held &= middle >= LIMIT and turns[0][0][1] == turns[0][1][1]
        print(
            f"decisions, {name}: {1 / new:,.0f} a second, {1 / old:,.0f} at {BEFORE}: "
            f"{middle:.2f} times as many ({ratios[0]:.2f} to {ratios[-1]:.2f}; limit {LIMIT})"
        )
    print(f"  {len(world['calls'])} calls, {results['a new path each'][0][1][1]}")
    return held
