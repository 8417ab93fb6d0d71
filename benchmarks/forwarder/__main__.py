"""Calls through the forwarder, a connection for each call, and bare urllib3; and the first call.

    .venv/local/bin/python -m benchmarks.forwarder

Fifty at a time, and one after another; the ways take turns in one run, against
one backend over TLS on loopback in a process of its own. The usual way opens a connection for
each call; urllib3 that keeps its connections is the floor.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import trustme

from benchmarks.forwarder.start import compare_starts

ROOT = Path(__file__).parents[2]
CODE = (ROOT / "functions" / "forwarder", ROOT / "layers" / "signing")


def run(folder: Path) -> bool:
    """Print the figures; whether all are within their limits."""
    ca, authority, certificate = trustme.CA(), folder / "ca.pem", folder / "own.pem"
    ca.cert_pem.write_to_path(authority)
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    command = [sys.executable, "-m", "benchmarks.forwarder.backend", str(certificate)]
    backend = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        url = f"https://127.0.0.1:{int((backend.stdout and backend.stdout.readline()) or 0)}/base"
        load = subprocess.run(
            [sys.executable, "-m", "benchmarks.forwarder.load", url, str(authority)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *CODE)))},
            check=False,
        )
        has_started = compare_starts(url, authority)
    finally:
        backend.terminate()
        backend.wait()
    return has_started and load.returncode == 0


def main() -> int:
    """Print the figures; 1 where one is beyond its limit."""
    with tempfile.TemporaryDirectory() as folder:
        return 0 if run(Path(folder)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
