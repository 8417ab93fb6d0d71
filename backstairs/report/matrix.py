"""The matrix: for every route, caller and way in, what `backstairs.access` decides, and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from backstairs.access import ApiKey, Call, Crowd, said_of
from backstairs.report.callers import callers
from backstairs.report.entrances import entrances
from backstairs.report.facts import Facts
from backstairs.report.named import Named, named_by
from backstairs.report.questions import questions
from backstairs.template.managed_policies import AS_OF

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backstairs.access import Api, Decision, Principal, Verdict
    from backstairs.report.callers import Caller
    from backstairs.report.entrances import Entrance
    from backstairs.report.questions import Question
    from backstairs.template.model import Application

NOT_MODELLED = (
    "Service control policies, resource control policies and custom domain names are not modelled: "
    "they can refuse more, and domain names can lead here by other names. AWS's managed policies "
    f"are taken as they were on {AS_OF}."
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One call and what was decided: of the caller itself, or `of` one who is like it."""

    question: Question
    caller: Caller
    entrance: Entrance
    decided: Decision
    of: Principal | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether it may be made."""
        return self.decided.verdict

    @property
    def decision(self) -> Decision:
        """The decision, with the caller's own name in it."""
        caller = self.caller.principal
        if self.of is None or caller is None or self.of is caller:
            return self.decided
        return said_of(caller, self.decided, self.of)

    @property
    def told(self) -> tuple[int, str]:
        """Equal for cells of one matrix whose decisions are the same."""
        is_own = self.of is None or self.of is self.caller.principal
        return (id(self.decided), "" if is_own else self.caller.name)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who may call what, from where: every cell, of every question, caller and entrance."""

    application: Application
    callers: tuple[Caller, ...]
    entrances: tuple[Entrance, ...]
    questions: tuple[Question, ...]
    cells: tuple[Cell, ...] = field(repr=False)
    facts: Facts = field(default_factory=Facts, repr=False)


def matrix_of(
    application: Application,
    facts: Facts | None = None,
    more: Mapping[str, Principal] | None = None,
    also: Named | None = None,
) -> Matrix:
    """Decide every cell. `more` are principals by name that the template does not declare.

    `also` is what else is to be told apart: of two revisions, what the other one's policies name.
    """
    facts, more = facts or Facts(), more or {}
    named = named_by(application, more.values()) | (also or Named())
    who = callers(application, named, more)
    where = entrances(application, named, facts)
    what = tuple(questions(application.apis, named.resources))
    return Matrix(application, who, where, what, tuple(_cells(what, who, where, facts)), facts)


def _cells(
    what: tuple[Question, ...],
    who: tuple[Caller, ...],
    where: tuple[Entrance, ...],
    facts: Facts,
) -> Iterator[Cell]:
    crowd = Crowd([caller.principal for caller in who])
    keyed = tuple(caller.keyed for caller in who)
    for question in what:
        for entrance in where:
            call = _call(question, entrance, facts)
            asked = [zip(who, crowd.decide(call), strict=True)]
            if question.route.needs_key:
                with_key = replace(call, api_key=_key_of(question.api.api))
                asked.append(zip(keyed, crowd.decide(with_key), strict=True))
            for together in zip(*asked, strict=True):
                for caller, (decision, one) in together:
                    yield Cell(question, caller, entrance, decision, one)


def call_of(question: Question, caller: Caller, entrance: Entrance, facts: Facts) -> Call:
    """The call that a cell is about."""
    key = _key_of(question.api.api) if caller.with_key else None
    return replace(_call(question, entrance, facts), caller=caller.principal, api_key=key)


def _call(question: Question, entrance: Entrance, facts: Facts) -> Call:
    return Call(
        origin=entrance.origin,
        method=question.method,
        path=question.path,
        api=question.api.api,
        route=question.route,
        facts=facts.of_calls,
    )


def _key_of(api: Api) -> ApiKey:
    here = frozenset({(api.api_id, api.stage)})
    return ApiKey(f"any key of {api.name}", "any", enabled=True, stages=here)
