"""Templates of tests, read and looked through."""

from __future__ import annotations

import logging
from pathlib import Path

from backstairs.report.findings import Finding, find
from backstairs.template.application import read_application

ROOT = Path(__file__).parents[3]
FIXTURES = Path(__file__).parent / "fixtures"

logging.getLogger("samtranslator").setLevel(logging.ERROR)


def found(path: Path, **parameters: str) -> list[Finding]:
    """What is found in a template with these parameters."""
    return find(read_application(path, parameters=parameters))


def ids(findings: list[Finding]) -> set[str]:
    """The rules that found something nobody accepted."""
    return {finding.rule.id for finding in findings if finding.accepted is None}


def written(folder: Path, rule: str, kind: str, *changes: tuple[str, str]) -> Path:
    """A fixture with some of its text replaced; each change must change something."""
    text = (FIXTURES / rule / f"{kind}.yaml").read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path = folder / "template.yaml"
    path.write_text(text, encoding="utf-8")
    return path
