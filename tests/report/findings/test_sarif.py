"""Findings as code hosts read them."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from backstairs.report.findings import rule_modules
from backstairs.report.formats import sarif
from tests.report.findings.reading import FIXTURES, found, written


def log(*findings: Any, folder: str = ".") -> Any:
    """What is written, read again: the one run."""
    document = json.loads(sarif.render(findings, PurePath(folder)))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    return run


def test_every_rule_is_described_once() -> None:
    """Whether it found something or not."""
    rules = log()["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [module.RULE.id for module in rule_modules()]
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    assert {rule["defaultConfiguration"]["level"] for rule in rules} <= {"error", "warning", "note"}


def test_a_finding_has_its_file_its_line_and_its_rule() -> None:
    """The file from where the template's folder is named."""
    (finding,) = found(FIXTURES / "whitelist-trap" / "bad.yaml")
    run = log(finding, folder="stacks/inner")
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert (result["ruleId"], result["level"]) == ("whitelist-trap", "error")
    place = result["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "stacks/inner/bad.yaml"},
        "region": {"startLine": 13},
    }
    assert "suppressions" not in result


def test_an_accepted_finding_is_suppressed_with_its_reason(tmp_path: Any) -> None:
    """It stays in the log."""
    accept = "Metadata: {Backstairs: {Accept: {whitelist-trap: It is meant}}}\nResources:\n"
    findings = found(written(tmp_path, "whitelist-trap", "bad", ("Resources:\n", accept)))
    (result,) = log(*findings)["results"]
    assert result["suppressions"] == [{"kind": "inSource", "justification": "It is meant"}]


def test_a_finding_that_has_moved_is_the_same_one(tmp_path: Any) -> None:
    """Its fingerprint does not hang on the line."""
    before = found(FIXTURES / "whitelist-trap" / "bad.yaml")
    after = found(written(tmp_path, "whitelist-trap", "bad", ("Resources:\n", "\n\nResources:\n")))
    prints = [log(*one)["results"][0]["partialFingerprints"] for one in (before, after)]
    assert prints[0] == prints[1]
    assert before[0].source.line != after[0].source.line
