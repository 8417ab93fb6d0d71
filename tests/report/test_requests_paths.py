"""The paths of a route: what the router finds, and what patterns tell apart, none forgotten."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstairs.access import Api, Authorization, Kind, Route
from backstairs.access.patterns import arn_match, matches
from backstairs.report.requests.automata import Automaton, Within, alphabet, classes
from backstairs.report.requests.paths import Paths
from backstairs.report.requests.patterns import Pattern, arn_like, like, readings
from backstairs.template.routes import routes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

thorough = settings(max_examples=200, deadline=None, database=None)

LIMIT = 100_000
RESOURCES = ("/", "/a", "/{x}", "/a/{x}", "/{x}/a", "/a/b", "/{p+}", "/a/{p+}", "/a{x}", "/%61")


def covers(automaton: Automaton, value: str) -> bool:
    return automaton.accepts(automaton.walk(automaton.start, value))


@thorough
@given(
    pattern=st.text(alphabet="a/:*?${}", max_size=9), value=st.text(alphabet="a/:*?", max_size=9)
)
def test_an_automaton_covers_what_its_pattern_covers(pattern: str, value: str) -> None:
    """Whatever is derived from automata is true of the patterns that decisions use."""
    plain, *narrow = (
        covers(Automaton([like(pattern, segments=segments)]), value)
        for segments in readings(pattern)
    )
    assert plain is matches(pattern, value)
    decided = arn_match(pattern)(value)
    assert (decided is True) is (plain and all(narrow))
    assert (decided is False) is (not plain)


@thorough
@given(
    pattern=st.text(alphabet="a:*?", min_size=5, max_size=12),
    value=st.text(alphabet="a:", min_size=5, max_size=12),
)
def test_the_fields_of_an_arn_are_compared_one_by_one(pattern: str, value: str) -> None:
    """As ArnLike does: no wildcard leaves its field but in the last one."""
    row = arn_like(pattern)
    ours, theirs = pattern.split(":", 5), value.split(":", 5)
    if row is None or len(theirs) < 6:
        return
    assert covers(Automaton([row]), value) is all(map(matches, ours, theirs))


@thorough
@given(patterns=st.lists(st.text(alphabet="ab/*?", max_size=5), min_size=1, max_size=3))
def test_no_class_of_texts_is_forgotten(patterns: list[str]) -> None:
    """Each set of patterns that some text matches is found, with a text that matches it."""
    automata = [Automaton([like(pattern)]) for pattern in patterns]
    everything = Within([like("*")])
    found = classes(everything, automata, alphabet(automata), LIMIT)
    for matched, text in found.items():
        assert matched == tuple(matches(pattern, text) for pattern in patterns)
    for length in range(6):
        for letters in product("ab/z", repeat=length):
            matched = tuple(matches(pattern, "".join(letters)) for pattern in patterns)
            assert matched in found


def api(kind: Kind, resources: list[str]) -> Api:
    routes = tuple(Route("GET", path, Authorization.AWS_IAM, None) for path in resources)
    return Api("a1", "Api", "s", "r", "1", private=False, policy=None, routes=routes, kind=kind)


def all_paths(pieces: tuple[str, ...], most: int) -> Iterator[str]:
    for length in range(most + 1):
        for letters in product(pieces, repeat=length):
            yield "/" + "".join(letters)


@pytest.mark.parametrize("kind", Kind)
@thorough
@given(
    resources=st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=4, unique=True),
    globs=st.lists(st.text(alphabet="ab/*", max_size=5), min_size=1, max_size=2),
)
def test_the_paths_of_a_route_are_those_that_the_router_finds(
    kind: Kind, resources: list[str], globs: list[str]
) -> None:
    """Every path leads to its route, and every class of paths that lead there is among them."""
    patterns = frozenset(Pattern(f"/{glob}", segments=False, before="") for glob in globs)
    one = api(kind, resources)
    router = routes_of(one)
    by_route: dict[Route, set[tuple[bool, ...]]] = {route: set() for route in one.routes}
    for path in all_paths(("a", "b", "/", "z"), 4):
        route, _ = router.find("GET", path)
        if route is not None:
            by_route[route].add(tuple(matches(pattern.text, path) for pattern in patterns))
    for route, expected in by_route.items():
        paths = Paths(one, route, "GET", LIMIT)
        found = [*paths.plain(patterns), *paths.odd(patterns)]
        assert all(paths.leads_here(path) for path in found)
        assert all(paths.leads_here(path) or kind is Kind.REST for path in paths.hidden(patterns))
        classes_found = {
            tuple(matches(pattern.text, path) for pattern in patterns) for path in found
        }
        assert expected <= classes_found
