"""The search for a request that is admitted though it should not be."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from backstairs.access import Origin
from backstairs.access.context import CallKeys
from backstairs.access.facts import NO_FACTS, Facts, Organization
from backstairs.report.callers import ANONYMOUS, Caller
from backstairs.report.requests import ways
from backstairs.report.requests.automata import TooManyError
from backstairs.report.requests.one_api import OneApi, call_of, policies_of, statements_of
from backstairs.report.requests.patterns import like
from backstairs.report.requests.strangers import Strangers
from backstairs.report.requests.values import conditions_on, moments, texts
from backstairs.report.requests.witness import Claim, Coverage, Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from backstairs.access import Api, Principal, Route
    from backstairs.access.policy import Statement
    from backstairs.report.entrances import Entrance
    from backstairs.report.matrix import Cell
    from backstairs.template.model import DeclaredApi

STATES = 20_000
"""How many states one walk through patterns may take; what takes more is left out, by name."""

_NOBODY = Caller(ANONYMOUS, None, "whoever sends no signature")


class Requests:
    """The requests of some APIs, outside of a claim.

    `callers` and `entrances` are the known ones; others are derived from the policies. `allowed` is
    the claim: nobody may call but whom it lets. It is asked for a whole route first, whose path is
    then the question's, and then for a path; it tells apart no paths but those of `named`. What is
    unknown and `agreed` is no witness, and stands for no other.
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
        agreed: Callable[[Witness], bool] = lambda _: False,
    ) -> None:
        self._apis, self._callers, self._entrances = apis, callers, entrances
        self._agreed = agreed
        self._facts, self._states = facts, states
        self._claim = Claim(allowed, frozenset(named))
        self.coverage = Coverage()

    def witnesses(self) -> Iterator[Witness]:
        """For each route, caller and way in outside the claim a request, the certain ones first."""
        for api in self._apis:
            found: dict[tuple[Route, str, str], Witness] = {}
            for one in self._of(api):
                if not one.admitted and self._agreed(one):
                    continue
                cell = one.cell
                key = (cell.question.route, cell.caller.name, cell.entrance.name)
                if key not in found or (one.admitted and not found[key].admitted):
                    found[key] = one
            yield from sorted(found.values(), key=lambda one: not one.admitted)

    def _of(self, declared: DeclaredApi) -> Iterator[Witness]:
        api = declared.api
        search = OneApi(declared, self._claim, self._states, self.coverage)
        guards = list(statements_of(api.policy))
        for entrance in self._entrances:
            endpoint = entrance.origin.endpoint
            guards += statements_of(endpoint.policy if endpoint else None)
        for caller in self._who(api, guards):
            lookup = CallKeys(call_of(Origin("nowhere"), api, caller), api, caller.principal).get
            held = [one for policy in policies_of(caller.principal) for one in policy.statements]
            statements = [*guards, *held]
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
        if conditions_on("aws:principaltag/", guards):
            # Lambda gives its sessions no tags; whoever else assumes a role may.
            others = [one.role for one in self._callers if one.role and not one.functions]
            self._leave_out(api, (f"sessions of {role} with tags of their own" for role in others))
        if len(known) == len(self._callers):
            yield _NOBODY

    def _leave_out(self, api: Api, what: Iterable[str]) -> None:
        self.coverage.left_out |= {f"{api.name}: {one}": None for one in what}
