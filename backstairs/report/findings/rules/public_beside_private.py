"""Routes that end up on a public API that nobody declared, beside a private one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import (
    REST_API,
    is_private,
    last,
    mapping,
    of_type,
    shown,
    source_of,
    stack,
    written_resources,
)
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

_IMPLICIT = {"ServerlessRestApi": ("Api", "RestApiId"), "ServerlessHttpApi": ("HttpApi", "ApiId")}

RULE = Rule(
    id="public-beside-private",
    title="An event without an API makes a public one",
    severity=Severity.ERROR,
    why=(
        "An event that names no API goes to one that SAM makes by itself, which is public "
        "unless Globals say otherwise: the function meant for the private API is on the internet."
    ),
    mend="Name the private API in the event (RestApiId), or declare the public one.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-api.html",
)


def check(application: Application) -> Iterator[Finding]:
    """SAM's own public APIs in stacks that have a private one as well."""
    rest = dict(of_type(application, REST_API))
    private = {stack(name) for name, api in rest.items() if is_private(api)}
    for name in application.resources:
        event, reference = _IMPLICIT.get(last(name), ("", ""))
        if not event or stack(name) not in private or is_private(rest.get(name, {})):
            continue
        functions = _functions(application, stack(name), event, reference)
        first = functions[0] if functions else name
        says = f"it is public, and made for the events of {shown(list(map(last, functions)))}"
        yield RULE.finds(name, says, source_of(application, first))


def _functions(application: Application, before: str, event: str, reference: str) -> list[str]:
    """The functions with an event of this type that names no API."""
    return [
        name
        for name, function in written_resources(application, "AWS::Serverless::Function")
        if stack(name) == before
        and any(
            mapping(one).get("Type") == event
            and reference not in mapping(mapping(one).get("Properties"))
            for one in mapping(function.get("Events")).values()
        )
    ]
