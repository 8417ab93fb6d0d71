"""The floor plan: a room of `backstairs` imports only rooms below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "backstairs"

# From the top down; those of one floor do not know each other.
FLOORS = (
    {"__main__"},
    {"cli"},
    {"demo", "pytest_plugin"},
    {"local", "client"},
    {"account", "inspector"},
    {"gateway"},
    {"runtime"},
    {"network", "emulator", "report"},
    {"template", "http"},
    {"access"},
)
FLOOR = {room: floor for floor, rooms in enumerate(reversed(FLOORS)) for room in rooms}

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / PACKAGE).rglob("*.py")
}


def imported(module: str) -> Iterator[str]:
    """The modules of the package that one imports, in functions and for types alone too."""
    for node in ast.walk(ast.parse(FILES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name in FILES)
        elif isinstance(node, ast.ImportFrom) and node.module in FILES:
            names = (f"{node.module}.{one.name}" for one in node.names)
            yield from (name if name in FILES else node.module for name in names)


def room_of(module: str) -> str:
    """`gateway` for backstairs.gateway.door; the package itself for what is not in a room."""
    return module.split(".")[1] if "." in module else module


IMPORTS = {module: set(imported(module)) for module in FILES}


def test_every_room_has_a_floor() -> None:
    """A new room is put on the plan."""
    assert {room_of(module) for module in FILES} - {PACKAGE} <= FLOOR.keys()


def test_a_room_imports_only_rooms_below_it() -> None:
    """A module knows its own room and those below; imports for types count like all others."""
    arrows = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in others
        if PACKAGE not in (module, other) and room_of(module) != room_of(other)
        if FLOOR[room_of(module)] <= FLOOR[room_of(other)]
    ]
    assert arrows == []


def test_no_module_comes_back_to_itself_by_what_it_imports() -> None:
    """There is no circle, of whatever length."""
    assert [module for module in FILES if module in reached_from(module)] == []


def reached_from(module: str) -> set[str]:
    """All that a module imports, and what that imports, and so on."""
    reached: set[str] = set()
    ahead = IMPORTS[module]
    while ahead:
        reached |= ahead
        ahead = {further for one in ahead for further in IMPORTS[one]} - reached
    return reached


@pytest.mark.parametrize("folder", ["functions", "layers"])
def test_what_runs_in_lambda_knows_nothing_of_the_package(folder: str) -> None:
    """It is deployed without it."""
    for path in (ROOT / folder).rglob("*.py"):
        imports = [
            name
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in [getattr(node, "module", None), *(one.name for one in node.names)]
        ]
        assert [name for name in imports if name and name.split(".")[0] == PACKAGE] == [], path
