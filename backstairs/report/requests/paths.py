"""The paths that lead to a route, one of each class that patterns of `Resource` can tell apart.

Plain paths are compared as they are sent. What else a path may be read as, decoded or without its
dot segments (`access.paths`), makes classes of its own: `GET /claims/..%2Fmembers%2Fm-1` leads to
`/claims/{id}` and may be compared as `/members/m-1`.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import unquote

from backstairs.access import Kind
from backstairs.access.paths import decoded
from backstairs.report.requests.automata import (
    ANY,
    ONE,
    Automaton,
    Row,
    Within,
    alphabet,
    but,
    classes,
    text,
)
from backstairs.report.requests.patterns import NOT_NORMAL, ODD, Pattern
from backstairs.template.openapi import DEFAULT
from backstairs.template.routes import parts_of, routes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backstairs.access import Api, Route

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_SEPARATORS = " ?#"
_PADDING = 4

_State = tuple[int, int, int, bool]


class _Compared:
    """A pattern as it is tracked: the path as it was sent, or decoded."""

    def __init__(self, pattern: Pattern, *, http: bool, decode: bool = False) -> None:
        self._automaton, self.start = pattern.automaton, pattern.start
        self._http, self._decode = http, decode

    def step(self, state: int, token: str) -> int:
        read = _decoded(token, http=self._http) if self._decode else token
        return self._automaton.walk(state, read)

    def accepts(self, state: int) -> bool:
        return self._automaton.accepts(state)


class _Sent:
    """The paths that lead to a route, either the plain ones or the odd ones.

    State: what the route's pattern, those before it, and `ODD` have read; and for a REST API
    whether a slash is held back, which does not count at the end, for an HTTP API whether only
    slashes were read, which count as one.
    """

    def __init__(self, inside: Automaton, outside: Automaton, *, http: bool, odd: bool) -> None:
        self._inside, self._outside, self._http, self._odd = inside, outside, http, odd
        self.start: _State = (inside.start, outside.start, ODD.start, False)

    def step(self, state: _State, token: str) -> _State | None:
        if state[2] == ODD.start and not token.startswith("/"):
            return None  # every path begins with one
        return (self._http_step if self._http else self._rest_step)(state, token)

    def _rest_step(self, state: _State, token: str) -> _State | None:
        inside, outside, odd, held = state
        kept = token.startswith("/")
        read = ("/" if held else "") + ("" if kept else token)
        inside = self._inside.walk(inside, read)
        if not inside:
            return None
        return inside, self._outside.walk(outside, read), ODD.walk(odd, token), kept

    def _http_step(self, state: _State, token: str) -> _State | None:
        inside, outside, odd, leading = state
        read = _decoded(token, http=True)
        first = odd == ODD.start
        if leading and read == "/":
            read = ""
        inside = self._inside.walk(inside, read)
        if not inside:
            return None
        leading = (first or leading) and read in ("", "/")
        return inside, self._outside.walk(outside, read), ODD.walk(odd, token), leading

    def accepts(self, state: _State) -> bool:
        inside, outside, odd, held = state
        if ODD.accepts(odd) is not self._odd:
            return False
        if held and not self._http and inside == self._inside.start:
            inside, outside = self._inside.step(inside, "/"), self._outside.step(outside, "/")
        return self._inside.accepts(inside) and not self._outside.accepts(outside)


class Paths:
    """The paths of one route for one method. The walks raise TooManyError beyond `limit` states."""

    def __init__(self, api: Api, route: Route, method: str, limit: int) -> None:
        self._routes, self._route, self._method, self._limit = routes_of(api), route, method, limit
        self._http = api.kind is Kind.HTTP
        self._head = "/" if route.path == DEFAULT else parts_of(route.path)[0]
        self._inside = Automaton([_row(route.path)])
        self._outside = Automaton(map(_row, self._routes.before(route, method)))
        self._plain: dict[frozenset[Pattern], list[str]] = {}
        self._odd: dict[frozenset[Pattern], list[str]] = {}

    def plain(self, patterns: frozenset[Pattern]) -> list[str]:
        """Paths that nobody can read otherwise."""
        told = frozenset(one for one in patterns if one.tells(self._head))
        if told not in self._plain:
            self._plain[told] = self._sent(told, odd=False)
        return self._plain[told]

    def odd(self, patterns: frozenset[Pattern]) -> list[str]:
        """Paths with escapes, dot segments, empty ones, or a slash at the end."""
        if patterns not in self._odd:
            found = self._sent(patterns, odd=True)
            found += self._sent(patterns, odd=True, decode=True)
            self._odd[patterns] = list(dict.fromkeys(found))
        return self._odd[patterns]

    def _sent(self, patterns: frozenset[Pattern], *, odd: bool, decode: bool = False) -> list[str]:
        """A path of each class, told apart as it is sent or decoded."""
        automata = [one.automaton for one in patterns]
        told = [*automata, self._inside, self._outside, ODD]
        tokens = alphabet(told, _sendable)
        tracked = [_Compared(one, http=self._http, decode=decode) for one in patterns]
        if odd:
            escapes = {found for one in patterns for found in _ESCAPE.findall(one.text)}
            escaped = alphabet(told) if decode or self._http else tokens[:1]
            tokens += [*map(_escaped, escaped), *sorted(escapes)]
        language = _Sent(self._inside, self._outside, http=self._http, odd=odd)
        return list(classes(language, tracked, tokens, self._limit).values())

    def hidden(self, patterns: frozenset[Pattern]) -> Iterator[str]:
        """Paths that are others once they are decoded and normalised.

        Where none was found that leads to the route, one that does not (`leads_here`).
        """
        parts = parts_of(self._route.path)
        if self._route.path == DEFAULT:
            parts = ["/", "{path+}"]
        last = max((at for at, part in enumerate(parts) if part.startswith("{")), default=None)
        if last is None:
            return
        if self._http and not parts[last].endswith("+}"):
            yield from self._by_dots(patterns)
            return
        head = "".join("%78" if part.startswith("{") else part for part in parts[:last])
        tail = "".join(parts[last + 1 :])
        end = unquote(tail)
        inside = [(*text("/"), ANY, *text(end))]
        if end.startswith("/"):
            inside.append(text(end))
        slashes = ("%2F", "/") if parts[last].endswith("+}") else ("%2F",)
        for meant in _normal(patterns, tuple(inside), self._limit):
            value = meant.removesuffix(end).removeprefix("/")
            yield self._first(_climbing(head, value, tail, slashes)) or head + value + tail

    def _first(self, candidates: Iterator[str]) -> str | None:
        """The first that leads to the route."""
        return next((path for path in candidates if self.leads_here(path)), None)

    def leads_here(self, path: str) -> bool:
        """Whether a path is one of the route's."""
        return self._routes.find(self._method, path)[0] is self._route

    def _by_dots(self, patterns: frozenset[Pattern]) -> Iterator[str]:
        """An HTTP API's parameters hold no slash; they can be dot segments."""
        segments = self._route.path.split("/")[1:]
        whole = [re.fullmatch(r"\{[^}]+\}", segment) is not None for segment in segments]
        choices = [("x", ".", "..") if free else ("",) for free in whole]
        for chosen in product(*choices):
            if not {".", ".."} & set(chosen):
                continue
            left: list[int] = []
            for at, dots in enumerate(chosen):
                if dots == "..":
                    del left[-1:]
                elif dots != ".":
                    left.append(at)
            row = _row("/" + "/".join(segments[at] for at in left))
            for meant in _normal(patterns, (row,), self._limit):
                sent = [
                    dots if free else segment
                    for free, dots, segment in zip(whole, chosen, segments, strict=True)
                ]
                for at, segment in zip(left, meant.split("/")[1:], strict=False):
                    sent[at] = _quoted(segment)
                yield "/" + "/".join(sent)

    @cached_property
    def any_path(self) -> str | None:
        """One path, whichever; None for a route that no path leads to."""
        nothing: frozenset[Pattern] = frozenset()
        found = self.plain(nothing) or self._sent(nothing, odd=True)
        return found[0] if found else None


@lru_cache(maxsize=1024)
def _normal(patterns: frozenset[Pattern], inside: tuple[Row, ...], limit: int) -> list[str]:
    """A path of each class, without empty and dot segments."""
    language = Within(inside, NOT_NORMAL)
    tokens = alphabet([*(one.automaton for one in patterns), language.inside, language.outside])
    tracked = [_Compared(one, http=False) for one in patterns]
    return list(classes(language, tracked, tokens, limit).values())


def everywhere(patterns: frozenset[Pattern], limit: int) -> list[str]:
    """A path of each class that patterns tell apart, of no route in particular."""
    language = Within([(*text("/"), ANY)])
    tokens = alphabet([*(one.automaton for one in patterns), language.inside])
    tracked = [_Compared(one, http=False) for one in patterns]
    return list(classes(language, tracked, tokens, limit).values())


def _row(path: str) -> Row:
    """A resource's pattern."""
    if path == DEFAULT:
        return (ANY,)
    row: list[Row] = []
    for part in parts_of(path):
        if part.endswith("+}"):
            row.append((ONE, ANY))
        elif part.startswith("{"):
            row.append((but("/"), but("/", many=True)))
        else:
            row.append(text(part))
    return tuple(unit for units in row for unit in units)


def _climbing(head: str, value: str, tail: str, slashes: Sequence[str]) -> Iterator[str]:
    """Ways of sending a parameter that climbs out of its place, to `value` at the root."""
    for slash in slashes:
        for more in range(_PADDING):
            up = ["", *["x"] * more] if not head.endswith("/") else ["x"] * more
            segments = [*up, *[".."] * (head.count("/") + more), *value.split("/")]
            escaped = [segment if slash == "/" else _escaped(segment) for segment in segments]
            yield head + slash.join(escaped) + tail
            if slash == "/":
                yield head + slash.join(map(_escaped, segments)) + tail


def _decoded(token: str, *, http: bool) -> str:
    if len(token) == 1:
        return token
    return decoded(token) if http else unquote(token)


def _escaped(characters: str) -> str:
    return "".join(f"%{byte:02X}" for byte in characters.encode())


def _quoted(characters: str) -> str:
    return "".join(char if _sendable(char) else _escaped(char) for char in characters)


def _sendable(char: str) -> bool:
    """Whether a path can hold a character as it is (RFC 3986, and what servers take)."""
    return char.isascii() and char.isprintable() and char not in _SEPARATORS and char != "%"
