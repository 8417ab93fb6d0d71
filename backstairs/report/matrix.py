"""The matrix: for every route, caller and way in, what `backstairs.access` decides, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backstairs.access import ApiKey, Call, decide
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
    """One call and the decision on it; equal decisions are one object."""

    question: Question
    caller: Caller
    entrance: Entrance
    decision: Decision

    @property
    def verdict(self) -> Verdict:
        """Whether it may be made."""
        return self.decision.verdict


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who may call what, from where: every cell, of every question, caller and entrance."""

    application: Application
    callers: tuple[Caller, ...]
    entrances: tuple[Entrance, ...]
    questions: tuple[Question, ...]
    cells: tuple[Cell, ...] = field(repr=False)


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
    return Matrix(application, who, where, what, tuple(_cells(what, who, where, facts)))


def _cells(
    what: tuple[Question, ...],
    who: tuple[Caller, ...],
    where: tuple[Entrance, ...],
    facts: Facts,
) -> Iterator[Cell]:
    seen: dict[object, Decision] = {}
    with_keys = tuple(one for caller in who for one in (caller, caller.keyed))
    for question in what:
        key = _key_of(question.api.api)
        for entrance in where:
            for caller in with_keys if question.route.needs_key else who:
                decision = decide(
                    Call(
                        origin=entrance.origin,
                        method=question.method,
                        path=question.path,
                        api=question.api.api,
                        route=question.route,
                        caller=caller.principal,
                        api_key=key if caller.with_key else None,
                        facts=facts.of_calls,
                    )
                )
                yield Cell(question, caller, entrance, seen.setdefault(_told(decision), decision))


def _told(decision: Decision) -> object:
    """What makes decisions equal for a reader. A statement is itself, not what is written in it."""
    return (
        decision.verdict,
        *(
            (reason.rule.name, reason.says, reason.operands, id(reason.statement))
            for reason in decision.reasons
        ),
    )


def _key_of(api: Api) -> ApiKey:
    here = frozenset({(api.api_id, api.stage)})
    return ApiKey(f"any key of {api.name}", "any", enabled=True, stages=here)
