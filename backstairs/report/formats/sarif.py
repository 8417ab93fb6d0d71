"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a pull request.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from backstairs.report.findings import rule_modules

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePath

    from backstairs.report.findings import Finding, Rule

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def render(findings: Iterable[Finding], folder: PurePath) -> str:
    """The log of one run; files are named from where `folder`, the template's, is named."""
    rules = [module.RULE for module in rule_modules()]
    places = {rule.id: index for index, rule in enumerate(rules)}
    driver = {
        "name": "backstairs",
        "version": version("backstairs"),
        "rules": [_rule(rule) for rule in rules],
    }
    results = [_result(finding, places[finding.rule.id], folder) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.mend},
        "helpUri": rule.source,
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(finding: Finding, index: int, folder: PurePath) -> dict[str, Any]:
    rule = finding.rule
    result = {
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": f"{finding.name}: {finding.says}. {rule.why} {rule.mend}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": (folder / finding.source.file).as_posix()},
                    "region": {"startLine": finding.source.line},
                },
                "logicalLocations": [{"fullyQualifiedName": finding.name, "kind": "resource"}],
            }
        ],
        # The same finding in the next run, wherever its line has gone.
        "partialFingerprints": {"finding/v1": f"{rule.id} {finding.name} {finding.says}"},
    }
    if finding.accepted is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.accepted}]
    return result
