"""Findings that somebody has looked at and leaves as they are, each with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.report.findings.evidence import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application


def accept(finding: Finding, application: Application) -> Finding:
    """The finding, accepted if the resource's Metadata or its template's says so, with a reason.

    A resource that SAM makes of another one is looked for under that one's name.
    """
    for before, template in _inmost_first(application.templates, finding.name):
        resources = mapping(template.get("Resources"))
        own = finding.name.removeprefix(before)
        makers = [name for name in resources if own == name or own.startswith(name)]
        for holder in (*(resources[name] for name in sorted(makers, key=len)[-1:]), template):
            reason = _reason(holder, finding.rule.id)
            if reason:
                return finding.accept(reason)
    return finding


def _inmost_first(
    templates: Mapping[str, Mapping[str, object]], name: str
) -> list[tuple[str, Mapping[str, object]]]:
    """The templates that a resource is in, its own first."""
    around = [item for item in templates.items() if name.startswith(item[0])]
    return sorted(around, key=lambda item: len(item[0]), reverse=True)


def _reason(holder: object, rule: str) -> str | None:
    """The reason given for a rule, if one is given; an empty one accepts nothing."""
    ours = mapping(mapping(mapping(holder).get("Metadata")).get("Backstairs"))
    reason = mapping(ours.get("Accept")).get(rule)
    return reason.strip() or None if isinstance(reason, str) else None
