"""The search for a request that is admitted though it should not be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from backstairs.access import ApiKey, Call, Decision, Origin, Verdict, decide, rules
from backstairs.access.context import CallKeys
from backstairs.access.facts import NO_FACTS, Facts, Organization
from backstairs.access.patterns import escaped, substitute
from backstairs.access.policy import SHORT_FORM
from backstairs.report.callers import ANONYMOUS, Caller
from backstairs.report.matrix import Cell
from backstairs.report.questions import Question
from backstairs.report.requests import ways
from backstairs.report.requests.automata import TooManyError
from backstairs.report.requests.paths import Paths, Pattern, everywhere
from backstairs.report.requests.patterns import like, readings
from backstairs.report.requests.strangers import Strangers
from backstairs.report.requests.values import conditions_on, moments, texts
from backstairs.template.openapi import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from backstairs.access import Api, Policy, Principal, Route
    from backstairs.access.policy import Statement
    from backstairs.report.entrances import Entrance
    from backstairs.template.model import DeclaredApi

STATES = 20_000
"""How many states one walk through patterns may take; what takes more is left out, by name."""

_VERBS = tuple(verb.upper() for verb in METHODS)
_NOBODY = Caller(ANONYMOUS, None, "whoever sends no signature")


_UNDECIDED = Decision(Verdict.UNKNOWN, ())


@dataclass(frozen=True, slots=True)
class _Claim:
    allowed: Callable[[Cell], bool]
    named: frozenset[str]

    @property
    def patterns(self) -> frozenset[Pattern]:
        """The paths that it tells apart."""
        return frozenset(Pattern(escaped(path), segments=False, before="") for path in self.named)


@dataclass(frozen=True, slots=True)
class Witness:
    """A request outside the claim that is admitted, or of which nobody can say that it is not."""

    cell: Cell
    call: Call

    @property
    def decision(self) -> Decision:
        """What `access.decide` says of the call."""
        return self.cell.decision

    @property
    def admitted(self) -> bool:
        """Whether it is certain."""
        return self.cell.verdict is Verdict.ALLOWED

    @property
    def by_reading(self) -> str | None:
        """The rule of how a path that is not plain is read, where that is what is unknown."""
        read = (rules.PATH_AS_SENT, rules.HTTP_PATHS)
        lack = f"{self.call.path} is not read as "
        lacks = any(str(one).startswith(lack) for one in self.decision.lacks)
        found = (one.rule.name for one in self.decision.reasons if one.rule in read)
        return next(found, None) if lacks else None

    def __str__(self) -> str:
        question, caller, way = self.cell.question, self.cell.caller, self.cell.entrance
        at = f", at {self.call.now:%Y-%m-%dT%H:%M:%SZ}" if self.call.now else ""
        if caller.principal and self.call.facts:
            organization = self.call.facts.organizations.get(caller.principal.account)
            at += f", of organisation {organization.org_id}" if organization else ""
        who = f"{caller.name} ({caller.says}), from {way.name} ({way.says})"
        return f"{question.label} of {question.api.name} by {who}{at}"


@dataclass(slots=True)
class Coverage:
    """How many requests were decided, each for its class, and what could not be enumerated."""

    decided: int = 0
    left_out: dict[str, None] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every request that exists is in a class that was decided."""
        return not self.left_out


class Requests:
    """The requests of some APIs, outside of a claim.

    `callers` and `entrances` are the known ones; others are derived from the policies. `allowed` is
    the claim: nobody may call but whom it lets. It is asked for a whole route first, whose path is
    then the question's, and then for a path; it tells apart no paths but those of `named`.
    `coverage` is whole once `witnesses` is exhausted.
    """

    def __init__(
        self,
        apis: Sequence[DeclaredApi],
        callers: Sequence[Caller],
        entrances: Sequence[Entrance],
        allowed: Callable[[Cell], bool],
        *,
        named: Iterable[str] = (),
        facts: Facts = NO_FACTS,
        states: int = STATES,
    ) -> None:
        self._apis, self._callers, self._entrances = apis, callers, entrances
        self._facts, self._states = facts, states
        self._claim = _Claim(allowed, frozenset(named))
        self.coverage = Coverage()

    def witnesses(self) -> Iterator[Witness]:
        """For each route, caller and way in outside the claim a request, the certain ones first."""
        for api in self._apis:
            found: dict[tuple[Route, str, str], Witness] = {}
            for one in self._of(api):
                cell = one.cell
                key = (cell.question.route, cell.caller.name, cell.entrance.name)
                if key not in found or (one.admitted and not found[key].admitted):
                    found[key] = one
            yield from sorted(found.values(), key=lambda one: not one.admitted)

    def _of(self, declared: DeclaredApi) -> Iterator[Witness]:
        api = declared.api
        search = _OfApi(declared, self._claim, self._states, self.coverage)
        guards = list(_statements(api.policy))
        for entrance in self._entrances:
            endpoint = entrance.origin.endpoint
            guards += _statements(endpoint.policy if endpoint else None)
        for caller in self._who(api, guards):
            lookup = CallKeys(_call(Origin("nowhere"), api, caller), api, caller.principal).get
            statements = [*guards, *_held(caller.principal)]
            self._leave_out(api, ways.not_enumerated(statements))
            try:
                entrances = ways.ways(self._entrances, statements, lookup, self._states)
                facts = list(self._facts_about(caller.principal, api, statements))
            except TooManyError:
                self._leave_out(api, [f"ways in for {caller.name}: too many classes"])
                continue
            for entrance, now, known in product(entrances, moments(statements), facts):
                yield from search.requests(caller, entrance, now, known)

    def _facts_about(
        self, principal: Principal | None, api: Api, statements: Sequence[Statement]
    ) -> Iterator[Facts]:
        """The facts, with each organisation that another account may be in."""
        yield self._facts
        on_id = conditions_on("aws:principalorgid", statements)
        account = principal.account if principal else api.account
        if on_id and account not in {api.account, *self._facts.organizations}:
            for org_id in texts(on_id, [like("o-?*")], limit=self._states):
                organizations = {**self._facts.organizations, account: Organization(org_id)}
                yield replace(self._facts, organizations=organizations)

    def _who(self, api: Api, guards: Sequence[Statement]) -> Iterator[Caller]:
        yield from self._callers
        known = [one.principal for one in self._callers if one.principal]
        strangers = Strangers(api, guards, known, self._states)
        try:
            yield from strangers
        except TooManyError:
            strangers.left_out.append("callers that are not declared: too many classes")
        self._leave_out(api, strangers.left_out)
        if len(known) == len(self._callers):
            yield _NOBODY

    def _leave_out(self, api: Api, what: Iterable[str]) -> None:
        self.coverage.left_out |= {f"{api.name}: {one}": None for one in what}


class _OfApi:
    """The requests of one API."""

    def __init__(
        self, declared: DeclaredApi, claim: _Claim, states: int, coverage: Coverage
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
                cell = Cell(question, who, entrance, _UNDECIDED)
                if self._claim.allowed(cell):
                    continue
                call = _call(entrance.origin, self._api, caller, method, now)
                key = self._key if route.needs_key else None
                call = replace(call, route=route, api_key=key, facts=facts)
                if method not in told:
                    found = _patterns(call, self._api) if reachable else ()
                    told[method] = frozenset(found)
                    if reachable:
                        told[method] |= self._claim.patterns
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
            cell = replace(asked.cell, question=question, decision=decision)
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


def _call(
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
    policies += [(policy, False) for policy in _policies(call.caller)]
    for policy, of_api in policies:
        for statement in _statements(policy):
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


def _policies(principal: Principal | None) -> tuple[Policy, ...]:
    if principal is None:
        return ()
    return (*principal.policies, *principal.limits, *principal.session)


def _held(principal: Principal | None) -> Iterator[Statement]:
    for policy in _policies(principal):
        yield from policy.statements


def _statements(policy: Policy | None) -> tuple[Statement, ...]:
    return policy.statements if policy else ()
