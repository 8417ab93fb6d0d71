"""CPU seconds of a process and all that came of it, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

_PARENT, _TIMES = 1, slice(11, 15)  # of the fields behind the name in /proc/PID/stat


def seconds_of(pid: int) -> float:
    """What it and its descendants have taken until now, the ended ones included."""
    processes = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                text = (entry / "stat").read_text("ascii", "replace")
            except OSError:
                continue  # it has ended
            processes[int(entry.name)] = text.rpartition(")")[2].split()
    ticks, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        ticks += sum(map(int, processes[one][_TIMES])) if one in processes else 0
        waiting += [child for child, said in processes.items() if int(said[_PARENT]) == one]
    return ticks / os.sysconf("SC_CLK_TCK")
