"""Calls through the forwarder, and the same work otherwise done; first calls; webhooks' start.

    .venv/local/bin/python -m benchmarks.forwarder

One call at a time, and eight, each client a process of its own; the ways take turns in one run,
against one backend over TLS on loopback in a process of its own. The processor may be shared: look
at the ratios, which compare rounds that ran one after the other.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import trustme

from benchmarks.forwarder.load import compare_loads
from benchmarks.forwarder.start import compare_starts
from benchmarks.forwarder.webhooks import compare_webhooks

ROOT = Path(__file__).parents[2]


def run(folder: Path) -> bool:
    """Print the figures; whether all are within their limits."""
    ca, authority, certificate = trustme.CA(), folder / "ca.pem", folder / "own.pem"
    ca.cert_pem.write_to_path(authority)
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    command = [sys.executable, "-m", "benchmarks.forwarder.backend", str(certificate)]
    backend = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        url = f"https://127.0.0.1:{int((backend.stdout and backend.stdout.readline()) or 0)}/base"
        has_kept = [compare_loads(url, authority), compare_starts(url, authority)]
        has_kept.append(compare_webhooks())
    finally:
        backend.terminate()
        backend.wait()
    return all(has_kept)


def main() -> int:
    """Print the figures; 1 where one is beyond its limit."""
    with tempfile.TemporaryDirectory() as folder:
        return 0 if run(Path(folder)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
