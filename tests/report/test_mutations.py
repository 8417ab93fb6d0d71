"""Our own templates, changed in ways that open or close access: each is noticed by its name."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backstairs.report.check import Breach, check
from backstairs.report.contract import read_contract
from backstairs.report.diff import Side, diff
from backstairs.report.matrix import matrix_of
from backstairs.template.application import read_application
from tests.report.mutations import APPLICATION, MUTATIONS, NETWORK, Call, Mutation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backstairs.report.diff import Changed
    from backstairs.template.model import Application

ROOT = Path(__file__).parents[2]
FILES = (APPLICATION, NETWORK)


@pytest.fixture(scope="module")
def ours() -> Application:
    """The application as it is."""
    return read(ROOT)


def read(folder: Path) -> Application:
    """The application in a folder, without what the translator says about it."""
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    return read_application(folder / APPLICATION)


def mutated(mutation: Mutation, folder: Path) -> Application:
    """The application with one change, in a folder of its own."""
    shutil.copy(ROOT / APPLICATION, folder)
    shutil.copytree(ROOT / "stacks", folder / "stacks")
    text = (folder / mutation.file).read_text("utf-8")
    assert text.count(mutation.old) == 1
    (folder / mutation.file).write_text(text.replace(mutation.old, mutation.new), "utf-8")
    return read(folder)


def texts(folder: Path) -> dict[str, list[str]]:
    """The lines of the templates in a folder."""
    return {name: (folder / name).read_text("utf-8").splitlines() for name in FILES}


def calls(changed: Iterable[Changed]) -> set[Call]:
    """What changed."""
    return {
        Call(cell.caller.name, cell.question.label, cell.question.api.name, cell.entrance.name)
        for one in changed
        for change in one.changes
        for cell in [change.cell]
    }


def test_the_application_keeps_to_its_contract(ours: Application) -> None:
    """Which is committed beside it."""
    contract = read_contract(ROOT / "access.yaml")
    assert check(matrix_of(ours, also=contract.named), contract) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_change_of_access_is_noticed(
    mutation: Mutation, ours: Application, tmp_path: Path
) -> None:
    """By diff, as a gain or a loss of the right caller; by check, as a breach by the same name."""
    changed = mutated(mutation, tmp_path)
    found = diff(Side(ours, texts(ROOT), {}), Side(changed, texts(tmp_path), {}))
    lines = [hunk for one in (*found.gains, *found.losses) for hunk in one.lines]
    assert {hunk.file for hunk in lines} == {mutation.file}
    gains, losses = calls(found.gains), calls(found.losses)
    assert found.opens is bool(mutation.opens)
    assert mutation.opens is None or mutation.opens in gains
    assert mutation.closes is None or mutation.closes in losses
    assert not losses or mutation.closes is not None
    contract = read_contract(ROOT / "access.yaml")
    broken = check(matrix_of(changed, also=contract.named), contract)
    breaches = {
        (one.breach, call)
        for one in broken
        for cell in one.cells
        for call in [
            Call(cell.caller.name, cell.question.label, cell.question.api.name, cell.entrance.name)
        ]
    }
    if mutation.opens:
        assert {(Breach.OPENED, mutation.opens), (Breach.UNKNOWN, mutation.opens)} & breaches
    if mutation.closes:
        assert {(Breach.CLOSED, mutation.closes), (Breach.UNKNOWN, mutation.closes)} & breaches
