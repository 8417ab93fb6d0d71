"""The package as somebody else installs it: a wheel in an environment without this repository."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `pip install .` builds."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    # Built from a copy: setuptools leaves its folders beside what it builds.
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    (source / "backstairs").symlink_to(ROOT / "backstairs")
    build = "from setuptools.build_meta import build_wheel; import sys; build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", build, str(folder)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel holds, and nothing else of this repository."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def _run(installed: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "backstairs", *arguments],
        cwd=installed,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_the_installed_command_shows_its_help(installed: Path) -> None:
    """`backstairs --help` works where nothing but the wheel is."""
    assert "Build, deploy into an emulated account" in _run(installed, "--help")


def test_the_installed_command_says_its_version(installed: Path) -> None:
    """`backstairs --version` names the release."""
    assert _run(installed, "--version").startswith("backstairs 0.")


def test_the_wheel_holds_every_module(wheel: Path) -> None:
    """No room of the package is left behind, nor the mark that it is typed."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("backstairs/")}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for pattern in ("*.py", "py.typed")
        for path in (ROOT / "backstairs").rglob(pattern)
    }
    assert wanted <= held
