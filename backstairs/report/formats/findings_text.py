"""Findings as lines of at most 80 columns, and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from backstairs.report.findings import Severity
from backstairs.report.formats.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backstairs.report.findings import Finding


def render(findings: Sequence[Finding]) -> str:
    """How many there are, and each; why it matters and what mends it once for each rule."""
    lines = fold(_summary(findings))
    told = set()
    for finding in findings:
        lines += ["", *_finding(finding)]
        if finding.accepted is None and finding.rule.id not in told:
            told.add(finding.rule.id)
            lines += _rule(finding)
    return "\n".join(lines) + "\n"


def _summary(findings: Sequence[Finding]) -> str:
    counts = Counter(one.severity for one in findings if one.accepted is None)
    said = [
        f"{counts[severity]} {severity.value}{'' if counts[severity] == 1 else 's'}"
        for severity in Severity
        if counts[severity]
    ]
    accepted = sum(one.accepted is not None for one in findings)
    return (", ".join(said) or "Nothing found") + (f"; {accepted} accepted" if accepted else "")


def _finding(finding: Finding) -> Iterator[str]:
    kind = "accepted" if finding.accepted is not None else finding.severity.value
    yield from fold(f"{kind}: {finding.rule.title} [{finding.rule.id}]", hanging=2)
    yield from fold(f"{finding.name} ({finding.source}): {finding.says}", 2, 2)
    if finding.accepted is not None:
        yield from fold(f"because: {finding.accepted}", 2, 2)


def _rule(finding: Finding) -> Iterator[str]:
    rule = finding.rule
    yield from fold(f"Why it matters: {rule.why}", 2, 2)
    yield from fold(f"Mend: {rule.mend}", 2, 2)
    yield from fold(f"Known from: {rule.known.value}, {rule.source}", 2, 2)


def as_json(findings: Sequence[Finding]) -> str:
    """A list under `findings`, as they come."""
    return json.dumps({"findings": [_as_object(one) for one in findings]}, indent=2) + "\n"


def _as_object(finding: Finding) -> dict[str, Any]:
    rule, source = finding.rule, finding.source
    return {
        "id": rule.id,
        "severity": finding.severity.value,
        "resource": finding.name,
        "says": finding.says,
        "file": source.file,
        "line": source.line,
        "madeBy": source.made_by,
        "accepted": finding.accepted,
        "title": rule.title,
        "why": rule.why,
        "mend": rule.mend,
        "known": rule.known.value,
        "source": rule.source,
    }
