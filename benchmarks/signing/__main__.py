"""What a signature costs, what an import costs, and that memory stays flat.

    uv pip sync --require-hashes --python .venv/peers requirements/peers.txt
    PYTHONPATH=layers/signing .venv/peers/bin/python -m benchmarks.signing

Every signer signs requests of its own, once each, in short turns, so that what else the machine
does meets all of them. Exits with 1 if a limit is missed.
"""

from __future__ import annotations

import gc
import platform
import resource
import statistics
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.signing import imports, ours, peers
from benchmarks.signing.subject import Signer, fresh, prepared

if TYPE_CHECKING:
    from requests import PreparedRequest

ROUNDS = 41
COUNTS = {"GET": 300, "POST 1 KiB": 300, "POST 64 KiB": 60}
LIMITS = {"GET": 1.6, "POST 1 KiB": 1.6, "POST 64 KiB": 1.1}
OVER_BOTOCORE = 8
MILLION = 1_000_000
GROWTH = 1024  # KiB


def turn(signer: Signer, request: PreparedRequest, count: int) -> float:
    """Sign `count` requests, one after another; returns microseconds each."""
    given = [signer.convert(fresh(request)) for _ in range(count)]
    gc.disable()
    start = time.perf_counter()
    for one in given:
        signer.sign(one)
    elapsed = time.perf_counter() - start
    gc.enable()
    return elapsed / count * 1e6


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
    seconds: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for subject, request in subjects.items():
            for signer in signers:
                cost = turn(signer, request, COUNTS[subject])
                seconds.setdefault((signer.name, subject), []).append(cost)
    median = {key: statistics.median(costs) for key, costs in seconds.items()}
    print(f"\n{'microseconds per signature':28}" + "".join(f"{name:>20}" for name in subjects))
    base = signers[0].name
    for signer in signers:
        cells = [(median[signer.name, name], median[base, name]) for name in subjects]
        print(f"{signer.name:28}" + "".join(f"{a:11.1f} ({a / b:5.2f})" for a, b in cells))

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
    results = [signatures(), imports.measure(), memory()]
    sys.exit(0 if all(results) else 1)
