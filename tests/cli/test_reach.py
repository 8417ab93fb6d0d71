"""`backstairs access reach`, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def reach(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the project's folder."""
    return subprocess.run(
        [sys.executable, "-m", "backstairs", "access", "reach", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )


def test_who_reaches_the_endpoint_and_who_does_not_is_told_in_80_columns() -> None:
    """Each way with its lines, and the first thing that stops who does not get there."""
    ran = reach("template.yaml")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert all(len(line) <= 80 for line in ran.stdout.splitlines())
    told = " ".join(ran.stdout.split())
    assert "reachable: MembersFunction, ClaimTypesFunction, NotifierFunction and" in told
    assert "Network/EndpointFromClientIngress lets it into Network/ExecuteApiEndpoint" in told
    assert "not reachable: Operation/PrunerFunction it runs in no VPC" in told
    assert "API Gateway's names" not in told


def test_it_has_neither_markdown_nor_a_page() -> None:
    """It says what it has."""
    ran = reach("--markdown")
    assert (ran.returncode, ran.stderr) == (2, "backstairs: reach is text or --json\n")
