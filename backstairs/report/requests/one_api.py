"""The requests of one API: every route, verb and class of paths, for a caller and a way in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backstairs.access import ApiKey, Call, Decision, Verdict, decide
from backstairs.access.context import CallKeys
from backstairs.access.patterns import substitute
from backstairs.access.policy import SHORT_FORM
from backstairs.report.matrix import Cell
from backstairs.report.questions import Question
from backstairs.report.requests.automata import TooManyError
from backstairs.report.requests.paths import Paths, everywhere
from backstairs.report.requests.patterns import Pattern, readings
from backstairs.report.requests.witness import UNDECIDED, Claim, Coverage, Witness
from backstairs.template.openapi import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from backstairs.access import Api, Origin, Policy, Principal, Route
    from backstairs.access.facts import Facts
    from backstairs.access.policy import Statement
    from backstairs.report.callers import Caller
    from backstairs.report.entrances import Entrance
    from backstairs.template.model import DeclaredApi

_VERBS = tuple(verb.upper() for verb in METHODS)


class OneApi:
    """The requests of one API."""

    def __init__(
        self, declared: DeclaredApi, claim: Claim, states: int, coverage: Coverage
    ) -> None:
        self._declared, self._claim = declared, claim
        self._api, self._states, self._coverage = declared.api, states, coverage
        api = declared.api
        self._all: dict[frozenset[Pattern], list[str]] = {}
        self._paths = {
            route: [(method, Paths(api, route, method, states)) for method in _methods(api, route)]
            for route in api.routes
        }
        here = frozenset({(api.api_id, api.stage)})
        self._key = ApiKey(f"a key of {api.name}", "", enabled=True, stages=here)

    def requests(
        self, caller: Caller, entrance: Entrance, now: datetime | None, facts: Facts
    ) -> Iterator[Witness]:
        """Those outside the claim that are not refused: a certain one, or all that are unknown."""
        reachable = self._api.private is (entrance.origin.endpoint is not None)
        told: dict[str, frozenset[Pattern]] = {}
        closed: dict[tuple[object, ...], bool] = {}
        for route, by_method in self._paths.items():
            who = caller.keyed if route.needs_key else caller
            for method, paths in by_method:
                question = Question(self._declared, route, method, route.path)
                cell = Cell(question, who, entrance, UNDECIDED)
                if self._claim.allowed(cell):
                    continue
                call = call_of(entrance.origin, self._api, caller, method, now)
                key = self._key if route.needs_key else None
                call = replace(call, route=route, api_key=key, facts=facts)
                if method not in told:
                    told[method] = self._told(call) if reachable else frozenset()
                asked = Witness(cell, call)
                # Of a route, a decision looks at no more than this, and at the path.
                alike = (method, route.authorization, route.needs_key)
                try:
                    if alike not in closed:
                        closed[alike] = self._is_closed(asked, told[method])
                    if not closed[alike]:
                        yield from self._search(asked, paths, told[method])
                except TooManyError:
                    self._leave_out(f"paths of {question.label} for {who.name}: too many classes")

    def _told(self, call: Call) -> frozenset[Pattern]:
        """What tells the paths of a call apart."""
        told = frozenset(_patterns(call, self._api)) | self._claim.patterns
        for pattern in told:
            if pattern.splits_escapes:
                self._leave_out(f"{pattern.text} compares with a part of an escape")
        return told

    def _is_closed(self, asked: Witness, patterns: frozenset[Pattern]) -> bool:
        """Whether it is refused whatever the path, and so however a path is read."""
        if patterns not in self._all:
            self._all[patterns] = everywhere(patterns, self._states)
        return not any(self._decided(asked, self._all[patterns]))

    def _search(
        self, asked: Witness, paths: Paths, patterns: frozenset[Pattern]
    ) -> Iterator[Witness]:
        if not patterns:
            yield from self._decide(asked, [paths.any_path] if paths.any_path else [])
            return
        found = False
        for one in self._decide(asked, paths.plain(patterns)):
            yield one
            if one.admitted:
                return
            found = True
        for one in self._decide(asked, paths.hidden(patterns)):
            if paths.leads_here(one.call.path):
                yield one
                found = True
            else:
                label = asked.cell.question.label
                self._leave_out(f"{label} may be asked for so that it is read as {one.call.path}")
        # What is certain already needs no other path; a pattern may want one that is not plain.
        if not found or any(pattern.is_odd for pattern in patterns):
            yield from self._decide(asked, paths.odd(patterns))

    def _decide(self, asked: Witness, paths: Iterable[str]) -> Iterator[Witness]:
        for call, decision in self._decided(asked, paths):
            question = replace(asked.cell.question, path=call.path, named=True)
            cell = replace(asked.cell, question=question, decided=decision)
            if not self._claim.allowed(cell):
                yield Witness(cell, call)

    def _decided(self, asked: Witness, paths: Iterable[str]) -> Iterator[tuple[Call, Decision]]:
        """The calls that are not refused."""
        for path in paths:
            call = replace(asked.call, path=path)
            decision = decide(call)
            self._coverage.decided += 1
            if decision.verdict is not Verdict.REFUSED:
                yield call, decision

    def _leave_out(self, what: str) -> None:
        self._coverage.left_out[f"{self._api.name}: {what}"] = None


def call_of(
    origin: Origin, api: Api, caller: Caller, method: str = "GET", now: datetime | None = None
) -> Call:
    return Call(origin, method, "/", api, None, caller=caller.principal, now=now)


def _methods(api: Api, route: Route) -> list[str]:
    if route.method != "ANY":
        return [route.method]
    others = {one.method for one in api.routes if one.path == route.path}
    return [verb for verb in _VERBS if verb not in others]


def _patterns(call: Call, api: Api) -> Iterator[Pattern]:
    """The patterns that paths are compared with, their variables replaced."""
    endpoint = call.origin.endpoint
    lookups = [CallKeys(call, api, who).get for who in (None, call.caller)]
    policies = [(api.policy, True), (endpoint.policy if endpoint else None, False)]
    policies += [(policy, False) for policy in policies_of(call.caller)]
    for policy, of_api in policies:
        for statement in statements_of(policy):
            for written in statement.resources:
                if not isinstance(written, str):
                    continue
                before = f"/{api.stage}/{call.method}"
                if not written.startswith(SHORT_FORM):
                    before = api.arn + before
                elif not of_api:
                    continue
                text = written.removeprefix("execute-api:") if before[0] == "/" else written
                for lookup in lookups:
                    yield from _read(substitute(text, lookup), before)


def _read(text: object, before: str) -> Iterator[Pattern]:
    if isinstance(text, str):
        for segments in readings(text):
            pattern = Pattern(text, segments, before)
            if pattern.tells():
                yield pattern


def policies_of(principal: Principal | None) -> tuple[Policy, ...]:
    """Every policy that a caller holds."""
    if principal is None:
        return ()
    return (*principal.policies, *principal.limits, *principal.session)


def statements_of(policy: Policy | None) -> tuple[Statement, ...]:
    """A policy's statements; none where there is no policy."""
    return policy.statements if policy else ()
