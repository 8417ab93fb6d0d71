"""What is asked of every API: one request for each that its policies can tell from the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstairs.access.patterns import matches
from backstairs.template.openapi import DEFAULT, METHODS
from backstairs.template.routes import routes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backstairs.access import Route
    from backstairs.template.model import DeclaredApi

ANYTHING = "~any"
"""What stands for a path parameter that no policy names."""

_VERBS = tuple(verb.upper() for verb in METHODS)
_PARAMETER = re.compile(r"\{[^}]+\}")
# The verb and the path in a resource's pattern, `arn:...:API/STAGE/VERB/path`, wherever they may
# begin: a star can be any of the parts, or several.
_TAIL = re.compile(rf"(?=/({'|'.join(_VERBS)}|\*)(/.*))", re.DOTALL)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A request to be decided: a route by `method` and a `path` below the stage.

    `named`: a policy names this very path or verb, within what the route covers.
    """

    api: DeclaredApi
    route: Route
    method: str
    path: str
    named: bool = False

    @property
    def label(self) -> str:
        """`GET /members/{memberId}`, or the request itself where a policy names it."""
        if self.named:
            return f"{self.method} {self.path}"
        return DEFAULT if self.route.path == DEFAULT else f"{self.route.method} {self.route.path}"


def questions(apis: Iterable[DeclaredApi], patterns: Iterable[str]) -> Iterator[Question]:
    """The requests to ask of each API, in its routes' order.

    `patterns` are the resources that policies name: each that names one path, or one verb, of a
    route that has more adds a question.
    """
    tails = sorted({(one[1], one[2]) for text in patterns for one in _TAIL.finditer(text)})
    unnamed = next((verb for verb in _VERBS if verb not in dict(tails)), _VERBS[0])
    for declared in apis:
        yield from _of(declared, tails, unnamed)


def _of(
    declared: DeclaredApi, tails: Iterable[tuple[str, str]], unnamed: str
) -> Iterator[Question]:
    usual = {
        route: (unnamed if route.method == "ANY" else route.method, _example(route.path))
        for route in declared.api.routes
    }
    methods = {method for method, _ in usual.values()}
    routes = routes_of(declared.api)
    named: dict[Route, set[tuple[str, str]]] = {
        route: {
            (verb, path)
            for verb, pattern in tails
            if verb not in (method, "*")
            and matches(pattern, path)
            and routes.find(verb, path)[0] is route
        }
        for route, (method, path) in usual.items()
        if route.method == "ANY"
    }
    for verb, pattern in tails:
        for method in sorted(methods) if verb == "*" else (verb,):
            route, _ = routes.find(method, _example(pattern))
            if route is not None and usual[route] != (method, _example(pattern)):
                named.setdefault(route, set()).add((method, _example(pattern)))
    for route, (method, path) in usual.items():
        yield Question(declared, route, method, path)
        for one in sorted(named.get(route, ())):
            yield Question(declared, route, *one, named=True)


def _example(pattern: str) -> str:
    """A path that a route or a policy's pattern covers."""
    if pattern == DEFAULT:
        return f"/{ANYTHING}"
    path = _PARAMETER.sub(ANYTHING, re.sub(r"\$\{[^}]*\}", ANYTHING, pattern))
    return re.sub(r"\*+", ANYTHING, path).replace("?", "x")
