"""The locks in requirements/ can be installed on every Python that the README promises."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from backstairs.cli.project import tool

ROOT = Path(__file__).parents[2]
# `vectors-sdist` names what is wanted as source: the SigV4 cases are in no wheel.
LOCKS = sorted(
    path.stem for path in (ROOT / "requirements").glob("*.txt") if path.stem != "vectors-sdist"
)
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def installable(lock: Path, folder: Path, *pythons: str) -> dict[str, tuple[int, str]]:
    """Let uv resolve a lock for other Pythons at once, from wheels alone; installs nothing.

    Status and output by Python.
    """
    given = ["--dry-run", "--only-binary", ":all:", "--require-hashes", "--target", str(folder)]
    running = {
        python: subprocess.Popen(
            [tool("uv"), "pip", "install", *given, "--python-version", python, "-r", str(lock)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "UV_SYSTEM_CERTS": "1"},  # as in the Makefile
        )
        for python in pythons
    }
    try:
        errors = {python: uv.communicate(timeout=300)[1] for python, uv in running.items()}
    finally:
        for uv in running.values():
            uv.kill()
    return {python: (running[python].returncode, errors[python]) for python in pythons}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_installs_from_wheels(lock: str, tmp_path: Path) -> None:
    """A package without a wheel would need a compiler, and often does not build at all."""
    ran = installable(ROOT / "requirements" / f"{lock}.txt", tmp_path, *PYTHONS)
    assert {python: error for python, (status, error) in ran.items() if status} == {}


def test_a_package_without_a_wheel_is_found_out(tmp_path: Path) -> None:
    """The last wheels of rustworkx 0.13.2 are those for Python 3.11."""
    lock = tmp_path / "lock.txt"
    sdist = "0276cf0b989211859e8797b67d4c16ed6ac9eb32edb67e0a47e70d7d71e80574"
    lock.write_text(f"rustworkx==0.13.2 --hash=sha256:{sdist}\n", "utf-8")
    status, error = installable(lock, tmp_path / "target", "3.13")["3.13"]
    assert status != 0
    assert "no usable wheels" in error
