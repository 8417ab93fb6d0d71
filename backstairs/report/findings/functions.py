"""Which functions are behind APIs, and which function a text is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access.patterns import matches
from backstairs.report.findings.evidence import apis

if TYPE_CHECKING:
    from backstairs.template.model import Application


def behind_apis(application: Application) -> dict[str, str]:
    """The functions that a route of an API invokes, each with the name of one such API."""
    return {
        function: declared.name
        for declared in apis(application)
        for route in declared.api.routes
        if route.function
        for function in functions_of(application, route.function)
    }


def functions_of(application: Application, text: object) -> list[str]:
    """The declared functions that a name, an ARN or a pattern covers, with a qualifier or not."""
    wanted = _unqualified(str(text))
    return [
        one.name
        for one in application.functions
        if matches(wanted, one.arn) or matches(wanted, one.arn.rpartition(":")[2])
    ]


def reached_by(application: Application, pattern: str) -> set[str]:
    """The declared functions that a grant on a resource reaches, by an alias of a route or not."""
    used = [route.function for one in apis(application) for route in one.api.routes]
    return {
        one.name
        for one in application.functions
        for text in (one.arn, f"{one.arn}:$LATEST", *filter(None, used))
        if _unqualified(text) == one.arn and matches(pattern, text)
    }


def named_function(application: Application, text: object) -> str:
    """What a function is called: by the template if it is declared there, or as it is."""
    return next(iter(functions_of(application, text)), _unqualified(str(text)))


def _unqualified(text: str) -> str:
    """A name or an ARN without version or alias."""
    before, found, after = text.partition(":function:")
    return before + found + after.partition(":")[0] if found else text
