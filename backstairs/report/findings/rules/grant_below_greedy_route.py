"""A grant whose star for the API reaches into the paths of a greedy route."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.access.patterns import arn_match
from backstairs.report.findings.calls import signed
from backstairs.report.findings.evidence import apis, grants, texts
from backstairs.report.findings.model import Rule, Severity
from backstairs.report.findings.rules.grant_too_wide import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access import Api, Route
    from backstairs.report.findings.evidence import Written
    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="grant-below-greedy-route",
    title="A grant reaches other methods below a greedy route",
    severity=Severity.WARNING,
    why=(
        "A star spans slashes. In */dev/GET/members/* it may stand for another API's stage, method "
        "and the beginning of a path: below a greedy route every path exists, so the grant for GET "
        "admits a POST whose path ends in /dev/GET/members/1."
    ),
    mend="Name the API in the grant, or replace the greedy route by the routes that are meant.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html",
)

# The account, then a star that begins what stands for API, stage or method.
_STARRED = re.compile(r"(arn:[^:]*:execute-api:[^:]*:[^:]*:)([^/*]*\*)(/.+)")
_ANOTHER = {"GET": "POST"}


def check(application: Application) -> Iterator[Finding]:
    """Grants with such a star, against the greedy routes that ask for a signature."""
    greedy = [
        (declared.api, route)
        for declared in apis(application)
        for route in signed(declared.api)
        if route.path.endswith("+}")
    ]
    for written in grants(application):
        if calls(written.statement):
            for api, route in greedy:
                yield from _reached(written, api, route)


def _reached(written: Written, api: Api, route: Route) -> Iterator[Finding]:
    for pattern in texts(list(written.statement.resources)):
        found = _STARRED.fullmatch(pattern)
        if found is None or not found[3].strip("/*"):
            continue
        method = _ANOTHER.get(_method(found[3]), "GET") if route.method == "ANY" else route.method
        before = route.path.rpartition("{")[0]
        path = f"{before}x{found[3].replace('*', 'x')}"
        meant = f"/{method}/" in found[3]
        if not meant and arn_match(pattern)(f"{api.arn}/{api.stage}/{method}{path}") is not False:
            says = f"{written}: {pattern} admits {method} {path} of {api.name} too"
            yield RULE.finds(written.name, says, written.source)


def _method(rest: str) -> str:
    """The method that a grant names: the second part after the API."""
    return ([*rest.split("/"), "", ""])[2]
