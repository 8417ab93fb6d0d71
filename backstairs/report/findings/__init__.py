"""What is wrong with a template, or will surprise: why it matters, and the change that mends it.

A rule is a module of `rules`. A finding is accepted beside what it is about, with a reason:

    Metadata: {Backstairs: {Accept: {whitelist-trap: "Every principal of the account may read it"}}}

on the resource that it names, or on the template for all that is in it.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol, cast

from backstairs.report.findings import rules
from backstairs.report.findings.acceptance import accept
from backstairs.report.findings.model import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.template.model import Application

__all__ = ["Finding", "Rule", "RuleModule", "Severity", "find", "rule_modules"]

_WORST_FIRST = list(Severity)


class RuleModule(Protocol):
    """What a module of `rules` holds."""

    __name__: str
    RULE: Rule

    def check(self, application: Application) -> Iterator[Finding]:
        """What the rule finds in an application."""


def rule_modules() -> list[RuleModule]:
    """Every rule there is, by name of its module."""
    names = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
    return [
        cast("RuleModule", importlib.import_module(f"{rules.__name__}.{name}")) for name in names
    ]


def find(application: Application) -> list[Finding]:
    """All findings, worst first, then by file and line; those that are accepted with the reason."""
    found = {finding: None for module in rule_modules() for finding in module.check(application)}
    accepted = [accept(finding, application) for finding in found]
    return sorted(accepted, key=_order)


def _order(finding: Finding) -> tuple[bool, int, str, int, str]:
    source, worst = finding.source, _WORST_FIRST.index(finding.severity)
    return finding.accepted is not None, worst, source.file, source.line, finding.rule.id
