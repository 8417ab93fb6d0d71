"""What pyproject.toml has to list, as it takes no pattern: the folders of functions and layers."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
FOLDERS = {
    str(path.relative_to(ROOT))
    for place in ("functions", "layers")
    for path in (ROOT / place).iterdir()
    if path.is_dir()
}


def test_tests_import_every_function_and_layer() -> None:
    """Each folder is a place of modules, as it is in Lambda; the root is the package's."""
    assert set(SETTINGS["pytest"]["ini_options"]["pythonpath"]) == {".", *FOLDERS}


def test_types_are_checked_across_every_function_and_layer() -> None:
    """The same places, and what is in them is checked."""
    assert set(SETTINGS["mypy"]["mypy_path"]) == FOLDERS
    checked = [ROOT / one for one in SETTINGS["mypy"]["files"]]
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            assert any(path.is_relative_to(one) for one in checked), path
