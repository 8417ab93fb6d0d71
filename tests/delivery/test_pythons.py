"""`make test` and `make up` use the Python that Lambda has, wherever this machine has it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# All that the Makefile needs of a machine; no other Python may be there.
PROGRAMS = ("make", "sh", "sed", "cmp", "mkdir", "touch")
ON_LAMBDA = "tests/functions tests/forwarder tests/signing tests/webhooks"
# It says with which tests it was called, and where.
PYTEST = '#!/bin/sh\necho "pytest of $0 $*"\n'
# It makes no environment, but says of which Python it was asked to.
UV = '#!/bin/sh\ncase "$*" in venv*) echo "uv $*";; esac\n'


def program(path: Path, text: str) -> Path:
    """Write a shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o755)
    return path


def python(path: Path, version: str) -> Path:
    """Stand in for an interpreter, which tells its version and where it is."""
    major_minor = ".".join(version.split(".")[:2])
    answer = f'case "$*" in *executable*) echo "$0";; *version_info*) echo {major_minor};; '
    return program(path, f'#!/bin/sh\n{answer}*) echo "Python {version}";; esac\n')


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Everything that `make` looks at, with uv and pytest replaced."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for name in ("Makefile", "pyproject.toml", "template.yaml"):
        shutil.copy(ROOT / name, folder / name)
    environments = folder / ".venv"
    program(environments / "uv" / "bin" / "uv", UV)
    program(environments / "local" / "bin" / "pytest", PYTEST)
    program(environments / "python3.13" / "bin" / "pytest", PYTEST)
    python(environments / "local" / "bin" / "python", "3.11.2")
    installed = ("uv", "local", "sam", "vectors", "node")
    for name in (*installed, "aws4_testsuite", "octokit_examples", "chromium"):
        (environments / name).mkdir(exist_ok=True)
        (environments / name / ".installed").touch()
        (environments / name).touch()
    (environments / "runtime").mkdir()
    (folder / "bin").mkdir()
    for name in PROGRAMS:
        (folder / "bin" / name).symlink_to(str(shutil.which(name)))
    return folder


def make(clone: Path, target: str, *places: Path, home: Path | None = None) -> str:
    """Run `make` with these folders first on PATH; returns what it printed."""
    path = os.pathsep.join(map(str, [*places, clone / "bin"]))
    ran = subprocess.run(
        [clone / "bin" / "make", target],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": path, "HOME": str(home or clone)},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_what_runs_in_lambda_is_tested_on_its_python_too(clone: Path, tmp_path: Path) -> None:
    """After every test on the Python at hand, those of functions, layers, forwarder, webhooks."""
    found = python(tmp_path / "bin" / "python3.13", "3.13.7")

    said = make(clone, "test", found.parent).splitlines()

    assert f"uv venv --quiet --clear --python {found} .venv/python3.13" in said
    assert [line for line in said if line.startswith(("pytest", "once"))] == [
        "pytest of .venv/local/bin/pytest ",
        f"once more, what runs in Lambda, on its Python: {found}",
        f"pytest of .venv/python3.13/bin/pytest {ON_LAMBDA}",
    ]


def test_pyenv_s_place_is_looked_at_where_its_shim_runs_nothing(
    clone: Path, tmp_path: Path
) -> None:
    """The shim on PATH fails wherever another Python was chosen."""
    shim = program(tmp_path / "shims" / "python3.13", "#!/bin/sh\nexit 127\n")
    found = python(tmp_path / ".pyenv" / "versions" / "3.13.0" / "bin" / "python3.13", "3.13.0")

    assert f"on its Python: {found}" in make(clone, "test", shim.parent, home=tmp_path)


def test_it_is_said_that_there_is_none(clone: Path) -> None:
    """Then nothing was tested on the Python of Lambda, which nobody should have to find out."""
    said = make(clone, "test").splitlines()

    assert said[-1] == (
        "no python3.13 on PATH, of pyenv or of uv: what runs in Lambda was tested on 3.11 alone"
    )
    assert not [line for line in said if line.startswith("pytest of .venv/python3.13")]


def test_nothing_is_tested_twice_on_one_python(clone: Path, tmp_path: Path) -> None:
    """Where the Python at hand is Lambda's, all tests ran on it."""
    found = python(tmp_path / "bin" / "python3.13", "3.13.7")
    python(clone / ".venv" / "local" / "bin" / "python", "3.13.7")

    said = make(clone, "test", found.parent).splitlines()

    assert said[-1] == "pytest of .venv/local/bin/pytest "


def test_the_functions_of_up_get_lambda_s_python(clone: Path, tmp_path: Path) -> None:
    """Their environment is of that Python; made anew when one was found or went; not otherwise."""
    found = python(tmp_path / "bin" / "python3.13", "3.13.7")

    def made(*places: Path) -> list[str]:
        said = make(clone, "install", *places).splitlines()
        return [line.split()[-2] for line in said if line.endswith(" .venv/runtime")]

    assert made() == ["python3"]
    assert made(found.parent) == [str(found)]
    assert made(found.parent) == []
    assert made() == ["python3"]
