"""One client in a process of its own, as in Lambda, where a process has one call at a time.

    python -m benchmarks.forwarder.client WAY URL CERTIFICATE-OF-THE-AUTHORITY

For each line on standard input, a number of calls, it makes so many; answers with a line of JSON:
the medians of a call: seconds of processor, seconds.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

from benchmarks.forwarder.ways import WAYS

PAUSE = 0.001
"""Seconds before each call, for every way alike.

In Lambda a process never has two calls without a pause: it hands an answer over and waits for the
next event, in which time other processes have the processor and its caches. It is no advantage to
either side by design, but matters much to the ratios: without it a raw socket takes a third of the
time, and what is written in Python half of it, so that ours/raw is about 5 and ours/http.client
about 0.55.
"""


def main(name: str, url: str, authority: Path) -> None:
    """Serve the lines."""
    answers = os.fdopen(os.dup(1), "w")
    # Where a function's lines go.
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8", buffering=1)  # noqa: SIM115
    call = WAYS[name](url, authority)
    for line in sys.stdin:
        seconds, used = [], []
        for _ in range(int(line)):
            time.sleep(PAUSE)
            began, processor = time.perf_counter(), time.process_time()
            if call() != 200:  # noqa: PLR2004 - what the backend always answers
                raise SystemExit("not answered")
            used.append(time.process_time() - processor)
            seconds.append(time.perf_counter() - began)
        medians = [statistics.median(used), statistics.median(seconds)]
        print(json.dumps(medians), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
