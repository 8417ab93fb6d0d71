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


def admits(
    declared: DeclaredApi, route: Route, places: Iterable[Origin], caller: Principal | None
) -> bool:
    """Whether a caller gets in on a route from one of these places, for certain."""
    return Verdict.ALLOWED in _verdicts(declared, route, places, caller)


def refuses(
    declared: DeclaredApi, route: Route, places: Iterable[Origin], caller: Principal | None
) -> bool:
    """Whether a caller is refused on a route from all of these places, for certain."""
    return _verdicts(declared, route, places, caller) == {Verdict.REFUSED}


def _verdicts(
    declared: DeclaredApi, route: Route, places: Iterable[Origin], caller: Principal | None
) -> set[Verdict]:
    one = _question(declared, route)
    return {
        decide(Call(origin, one.method, one.path, declared.api, route, caller)).verdict
        for origin in places
    }


def covered(declared: DeclaredApi, route: Route) -> bool:
    """Whether a statement of the API's policy speaks of a route, or of a part, whatever it says."""
    api = declared.api
    statements = api.policy.statements if api.policy else ()
    patterns = texts([text for statement in statements for text in statement.resources])
    for one in questions([declared], patterns):
        resource = f"{api.arn}/{api.stage}/{one.method}{one.path}"
        request = Request("execute-api:Invoke", resource, Caller(), Context({}), api.arn)
        if one.route is route and any(_speaks_of(request, statement) for statement in statements):
            return True
    return False


def _speaks_of(request: Request, statement: Statement) -> bool:
    matched = any(match(request) is not False for match in statement.resource_matches)
    return matched != statement.not_resources


def _question(declared: DeclaredApi, route: Route) -> Question:
    return next(one for one in questions([declared], ()) if one.route is route)
