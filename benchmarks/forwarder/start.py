"""From process start to the first answer: the forwarder, and one that loads boto3 and requests."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks.coldstart.services import Services

ROUNDS = 15
LIMIT = 0.6
ROOT = Path(__file__).parents[2]
EVENT = ROOT / "events" / "forwarder" / "rest-get.json"
RUNTIME = Path(sys.prefix).parent / "runtime" / "bin" / "python"
PACKAGES = next(path for path in map(Path, sys.path) if path.name == "site-packages")
CODE = {
    "forwarder": ROOT / "functions" / "forwarder",
    "usual_forwarder": Path(__file__).parent / "usual",
}


def start(package: str, url: str, authority: Path) -> float:
    """Seconds from the start of a process of Lambda's runtime client to its answer."""
    # Of its own: a process that has answered asks for the next event, which is another's.
    with Services() as services:
        threading.Thread(target=services.serve_forever, daemon=True).start()
        try:
            return _started(services, package, url, authority)
        finally:
            services.shutdown()


def _started(services: Services, package: str, url: str, authority: Path) -> float:
    services.expect(EVENT.read_bytes())
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(RUNTIME), "-m", "awslambdaric", f"{package}.handler.lambda_handler"],
        env={
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join(map(str, (CODE[package], PACKAGES))),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{services.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "function",
            "AWS_REGION": "us-east-1",
            "BACKEND_URL": url,
            "BACKEND_CA": authority.read_text(),
            "REQUESTS_CA_BUNDLE": str(authority),
        },
        cwd=CODE[package],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    answered = services.answered.wait(30)
    process.kill()
    process.wait()
    if not answered or b'"statusCode": 200' not in services.answer:
        raise SystemExit(f"{package}: {services.answer[:500]!r}")
    return services.at - began


def compare_starts(url: str, authority: Path) -> bool:
    """Measure both in turn; whether ours keeps to its limit."""
    for package in CODE:
        start(package, url, authority)
    rounds = []
    for number in range(ROUNDS):
        order = list(CODE) if number % 2 else list(CODE)[::-1]
        rounds.append({one: start(one, url, authority) * 1000 for one in order})
    for package in CODE:
        times = sorted(one[package] for one in rounds)
        label = f"{statistics.median(times):4.0f} ms  ({times[0]:.0f} to {times[-1]:.0f})"
        print(f"first answer   {package:16} {label}")
    ratios = sorted(one["forwarder"] / one["usual_forwarder"] for one in rounds)
    ratio = statistics.median(ratios)
    print(
        f"first answer   ratio {ratio:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f} in {ROUNDS} "
        f"rounds; at most {LIMIT:.2f})"
    )
    return ratio <= LIMIT
