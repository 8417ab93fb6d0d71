"""The documents lead somewhere, and the README stays one page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.local.application import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = [
    path
    for folder in (".", "docs", "stacks", "layers/signing", ".github")
    for path in sorted((ROOT / folder).glob("*.md"))
]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(path: Path) -> set[str]:
    """The headings of a document, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    """To a file that is there, and to a heading that it has."""
    for link in LINK.findall(path.read_text("utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_is_one_page() -> None:
    """What does not fit is in docs/."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 190


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_that_a_document_names_is_there(path: Path) -> None:
    """What stands in backticks and begins with a folder of the project."""
    folders = "backstairs|benchmarks|docs|events|functions|layers|requirements|stacks|tests"
    named = re.findall(rf"`((?:{folders})/[A-Za-z0-9_./-]*)`", path.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
