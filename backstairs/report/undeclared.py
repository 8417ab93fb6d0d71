"""Callers that neither of two versions declares, where their policies tell such callers apart.

A statement for whoever has a tag, or for every role with some beginning of a name, is about nobody
whom a template declares; what it opens is a gain all the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backstairs.report.callers import WITH_KEY
from backstairs.report.requests import FULL_GRANT, ROOT
from backstairs.report.requests.automata import TooManyError
from backstairs.report.requests.one_api import statements_of
from backstairs.report.requests.search import STATES
from backstairs.report.requests.strangers import Strangers
from backstairs.report.requests.values import conditions_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backstairs.access import Principal
    from backstairs.access.policy import Statement
    from backstairs.template.model import Application

_ALWAYS = ("aws:principaltag/", "aws:username")
_BY_PATTERN = ("aws:principalarn", "aws:principalaccount")


class Undeclared:
    """One principal by name of each class that the guards of some applications tell apart.

    Without a grant first, then with a grant of everything. `left_out` says who could not be
    enumerated, and why. Empty where the matrix's own callers stand for everybody.
    """

    def __init__(self, applications: Sequence[Application]) -> None:
        self.principals: dict[str, Principal] = {}
        self.left_out: list[str] = []
        guards = [one for application in applications for one in _guards(application)]
        apis = [declared.api for one in applications for declared in one.apis]
        if not apis or not _tell_apart(guards):
            return
        known = [one.principal for of in applications for one in of.principals]
        strangers = Strangers(apis[0], guards, known, STATES)
        powerful: dict[str, Principal] = {}
        try:
            for one in strangers:
                if one.principal is not None and one.name != ROOT:
                    of = powerful if one.name == FULL_GRANT else self.principals
                    of[f"{one.name} ({one.says})"] = one.principal
        except TooManyError:
            self.left_out.append("callers that are not declared: too many classes")
        self.principals |= powerful
        self.left_out += strangers.left_out

    def __contains__(self, name: str) -> bool:
        return name.removesuffix(WITH_KEY) in self.principals


def _guards(application: Application) -> Iterator[Statement]:
    for declared in application.apis:
        yield from statements_of(declared.api.policy)
    for endpoint in application.endpoints:
        yield from statements_of(endpoint.endpoint.policy)


def _tell_apart(guards: Sequence[Statement]) -> bool:
    if any(conditions_on(key, guards) for key in _ALWAYS):
        return True
    return any(
        re.search(r"[*?]", str(value))
        for key in _BY_PATTERN
        for condition in conditions_on(key, guards)
        for value in condition.values
    )
