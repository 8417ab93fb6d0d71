"""What a signature costs, what an import costs, and that memory stays flat.

    uv pip sync --require-hashes --python .venv/peers requirements/peers.txt
    PYTHONPATH=layers/signing .venv/peers/bin/python -m benchmarks.signing

Every signer signs requests of its own, once each, in short turns, so that what else the machine
does meets all of them. Limits are on CPU time, which a busy machine changes least; wall time stands
beside it. Exits with 1 if a limit is missed.
"""

from __future__ import annotations

import gc
import itertools
import platform
import resource
import statistics
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.signing import httpx_calls, imports, ours, peers
from benchmarks.signing.subject import Signer, fresh, prepared

if TYPE_CHECKING:
    from requests import PreparedRequest

ROUNDS = 41
COUNTS = {"GET": 300, "GET, new cursor": 300, "POST 1 KiB": 300, "POST 64 KiB": 60}
LIMITS = {"GET": 1.25, "POST 1 KiB": 1.25, "POST 64 KiB": 1.07}
OVER_BOTOCORE = 8
MILLION = 1_000_000
GROWTH = 1024  # KiB
NUMBERS = itertools.count(10**9)


def turn(signer: Signer, requests: list[PreparedRequest]) -> tuple[float, float]:
    """Sign these requests, one after another; returns microseconds each, of CPU and by the wall."""
    given = [signer.convert(request) for request in requests]
    gc.disable()
    start, start_cpu = time.perf_counter(), time.process_time()
    for one in given:
        signer.sign(one)
    cpu, wall = time.process_time() - start_cpu, time.perf_counter() - start
    gc.enable()
    return cpu / len(given) * 1e6, wall / len(given) * 1e6


def copies(subjects: dict[str, PreparedRequest], subject: str, count: int) -> list[PreparedRequest]:
    """So many of one request, alike, or with a cursor that no other request ever had."""
    if subject in subjects:
        return [fresh(subjects[subject]) for _ in range(count)]
    some = [fresh(subjects["GET"]) for _ in range(count)]
    for one in some:
        one.url = f"{one.url}{next(NUMBERS)}"
    return some


def authorization(signer: Signer, request: PreparedRequest) -> tuple[str, str]:
    """The date and the signature that a signer gives a request."""
    one = fresh(request)
    signer.sign(signer.convert(one))
    return one.headers["X-Amz-Date"], one.headers["Authorization"]


def available() -> list[Signer]:
    """The floor, ours, and every peer that is installed; says which are not."""
    signers = [ours.floor(), ours.adapter(), ours.core()]
    for request in prepared().values():
        floor, adapter = (authorization(signer, request) for signer in signers[:2])
        if floor[0] == adapter[0] and floor != adapter:
            raise SystemExit("the floor and the adapter sign differently")
    for peer in peers.PEERS:
        try:
            signers.append(peer())
        except ImportError as error:
            print(f"not measured: {peer.__name__}: {error}")
    return signers


def signatures() -> bool:
    """Print microseconds per signature and ratios to the floor; say whether the limits hold."""
    signers, subjects = available(), prepared()
    seconds: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for subject, count in COUNTS.items():
            for signer in signers:
                cost = turn(signer, copies(subjects, subject, count))
                seconds.setdefault((signer.name, subject), []).append(cost)
    median = {key: statistics.median(cpu for cpu, _ in costs) for key, costs in seconds.items()}
    wall = {key: statistics.median(wall for _, wall in costs) for key, costs in seconds.items()}
    base = signers[0].name
    for title, table in (("CPU", median), ("wall", wall)):
        head = f"microseconds, {title}"
        print(f"\n{head:25}" + "".join(f"{name:>17}" for name in COUNTS))
        for signer in signers:
            cells = [(table[signer.name, name], table[base, name]) for name in COUNTS]
            print(f"{signer.name:25}" + "".join(f"{a:9.1f} ({a / b:5.2f})" for a, b in cells))

    adapter = signers[1].name
    good = True
    for name, limit in LIMITS.items():
        ratio = median[adapter, name] / median[base, name]
        fastest = min(median[peer.name, name] for peer in signers[3:])
        ahead = fastest / median[adapter, name]
        good &= ratio <= limit and ahead > 1
        print(f"{name}: {ratio:.2f} of the floor (limit {limit}), fastest peer {ahead:.2f} of ours")
    if ("botocore, glued", "GET") in median:
        faster = median["botocore, glued", "GET"] / median[adapter, "GET"]
        good &= faster >= OVER_BOTOCORE
        print(f"GET: {faster:.1f} times as fast as botocore (limit {OVER_BOTOCORE})")
    return good


def memory() -> bool:
    """Print how the process grows over a million signatures, no two of them alike."""
    signer, request = ours.adapter(), prepared()["GET"]
    url = request.url or ""

    def peak_after(numbers: range) -> int:
        for number in numbers:
            one = fresh(request)
            one.url = f"{url.replace('m-1001', f'm-{number}')}&page={number}"
            one.headers["x-amz-meta-number"] = str(number)
            signer.sign(one)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = peak_after(range(MILLION // 20))
    grown = peak_after(range(MILLION // 20, MILLION)) - before
    print(f"\nmemory: {grown:+d} KiB at the peak, over a million signatures (limit {GROWTH:+d})")
    return grown <= GROWTH


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, {platform.machine()}")
    results = [signatures(), httpx_calls.measure(), imports.measure(), memory()]
    sys.exit(0 if all(results) else 1)
