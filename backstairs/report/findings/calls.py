"""Calls that rules ask the decision about: no rule has an opinion of its own on who gets in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backstairs.access import Authorization, Call, Verdict, decide
from backstairs.access.conditions import Context
from backstairs.access.policy import Caller, Request
from backstairs.report.callers import granted
from backstairs.report.entrances import OTHER_ENDPOINT, entrances
from backstairs.report.facts import Facts
from backstairs.report.findings.evidence import texts
from backstairs.report.named import named_by
from backstairs.report.questions import questions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backstairs.access import Api, Origin, Principal, Route
    from backstairs.access.policy import Statement
    from backstairs.report.questions import Question
    from backstairs.template.model import Application, DeclaredApi

_EVERYTHING = {"Statement": {"Effect": "Allow", "Action": "execute-api:*", "Resource": "*"}}


def methods(api: Api) -> Iterator[Route]:
    """The routes but for OPTIONS, which browsers ask of themselves."""
    return (route for route in api.routes if route.method != "OPTIONS")


def signed(api: Api) -> list[Route]:
    """Of those, the ones that ask for a signature."""
    return [route for route in methods(api) if route.authorization is Authorization.AWS_IAM]


def is_open(route: Route) -> bool:
    """Whether a route asks for nothing at all; an API key counts as a question."""
    return route.authorization is Authorization.NONE and not route.needs_key


def named(routes: Iterable[Route]) -> list[str]:
    """Routes as they are called: `GET /members/{memberId}`."""
    return [f"{route.method} {route.path}" for route in routes]


def settled(application: Application) -> Application:
    """The same, where what an API's policy compares with and nobody knows equals itself alone.

    So an endpoint that is imported from another stack is an endpoint like any other.
    """
    return replace(application, apis=tuple(map(_settled, application.apis)))


def _settled(declared: DeclaredApi) -> DeclaredApi:
    policy = declared.api.policy
    if policy is None:
        return declared
    known = replace(policy, statements=tuple(map(_known, policy.statements)))
    return replace(declared, api=replace(declared.api, policy=known))


def _known(statement: Statement) -> Statement:
    conditions = (
        replace(condition, values=tuple(map(str, condition.values)))
        for condition in statement.conditions
    )
    return replace(statement, conditions=tuple(conditions))


def somebody(application: Application) -> Principal:
    """A principal of the account to whom nothing is granted."""
    return granted(application.account, (), "anybody")


def somebody_with_grants(application: Application) -> Principal:
    """A principal of the account who may call every API there is."""
    return granted(application.account, [("every grant", _EVERYTHING)], "anybody")


def origins(application: Application) -> list[Origin]:
    """Everywhere that calls may come from, as far as policies tell places apart."""
    places = entrances(application, named_by(application), Facts())
    return [one.origin for one in places]


def elsewhere(application: Application) -> list[Origin]:
    """Endpoints that neither the template declares nor a policy names."""
    return [one for one in origins(application) if one.name.startswith(OTHER_ENDPOINT)]


def admitted(
    declared: DeclaredApi, routes: Iterable[Route], places: Iterable[Origin], who: Principal | None
) -> list[Route]:
    """Those of an API's routes on which a caller gets in from one of these places, for certain."""
    verdicts = _verdicts(declared, routes, places, who)
    return [route for route, found in verdicts if Verdict.ALLOWED in found]


def undecided(
    declared: DeclaredApi, routes: Iterable[Route], places: Iterable[Origin], who: Principal | None
) -> list[Route]:
    """Those on which a caller may get in, and from nowhere for certain."""
    verdicts = _verdicts(declared, routes, places, who)
    return [
        route
        for route, found in verdicts
        if Verdict.UNKNOWN in found and Verdict.ALLOWED not in found
    ]


def refused(
    declared: DeclaredApi, routes: Iterable[Route], places: Iterable[Origin], who: Principal | None
) -> list[Route]:
    """Those on which a caller is refused from all of these places, for certain."""
    verdicts = _verdicts(declared, routes, places, who)
    return [route for route, found in verdicts if found == {Verdict.REFUSED}]


def _verdicts(
    declared: DeclaredApi, routes: Iterable[Route], places: Iterable[Origin], who: Principal | None
) -> Iterator[tuple[Route, set[Verdict]]]:
    asked = {one.route: one for one in questions([declared], ())}
    places = list(places)
    for route in routes:
        method, path = asked[route].method, asked[route].path
        calls = (Call(origin, method, path, declared.api, route, who) for origin in places)
        yield route, {decide(call).verdict for call in calls}


def covered(declared: DeclaredApi) -> set[Route]:
    """The routes that a statement of the API's policy speaks of, whole or in part."""
    statements = declared.api.policy.statements if declared.api.policy else ()
    found = _spoken_of(declared, questions([declared], ()), statements)
    if len(found) < len(declared.api.routes):
        patterns = texts([text for statement in statements for text in statement.resources])
        found |= _spoken_of(declared, questions([declared], patterns), statements)
    return found


def _spoken_of(
    declared: DeclaredApi, asked: Iterable[Question], statements: Iterable[Statement]
) -> set[Route]:
    api, found = declared.api, set()
    for one in asked:
        resource = f"{api.arn}/{api.stage}/{one.method}{one.path}"
        request = Request("execute-api:Invoke", resource, Caller(), Context({}), api.arn)
        if one.route not in found and any(_is_about(request, each) for each in statements):
            found.add(one.route)
    return found


def _is_about(request: Request, statement: Statement) -> bool:
    matched = any(match(request) is not False for match in statement.resource_matches)
    return matched != statement.not_resources
