"""One client in a process of its own, as in Lambda, where a process has one call at a time.

    python -m benchmarks.forwarder.client WAY URL CERTIFICATE-OF-THE-AUTHORITY

For each line on standard input, a number of calls, it makes so many; answers with a line of JSON:
seconds of processor a call, and the median of a call's seconds.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

from benchmarks.forwarder.ways import WAYS


def main(name: str, url: str, authority: Path) -> None:
    """Serve the lines."""
    answers = os.fdopen(os.dup(1), "w")
    # Where a function's lines go.
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8", buffering=1)  # noqa: SIM115
    call = WAYS[name](url, authority)
    for line in sys.stdin:
        seconds = []
        processor = time.process_time()
        for _ in range(int(line)):
            began = time.perf_counter()
            if call() != 200:  # noqa: PLR2004 - what the backend always answers
                raise SystemExit("not answered")
            seconds.append(time.perf_counter() - began)
        used = (time.process_time() - processor) / len(seconds)
        print(json.dumps([used, statistics.median(seconds)]), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
