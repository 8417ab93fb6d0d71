"""Finite automata: one text for each way in which a set of patterns can match.

The patterns of policies and routes are rows of units, each one character or a run of them. What
several patterns make of all texts of a language is found by walking all of them at once, through
every state that some text leads to (the product construction). Each state keeps the shortest text
that leads there.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

State = TypeVar("State", bound="Hashable")


class TooManyError(Exception):
    """More states than the walk was allowed."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One character of `chars`, or of all `others`; `many`: any number of them, none included."""

    chars: frozenset[str]
    others: bool = False
    many: bool = False


Row = tuple[Unit, ...]

ONE = Unit(frozenset(), others=True)
ANY = Unit(frozenset(), others=True, many=True)


def text(value: str) -> Row:
    """A row that covers this text alone."""
    return tuple(Unit(frozenset(char)) for char in value)


def but(chars: str, *, many: bool = False) -> Unit:
    """Every character but these."""
    return Unit(frozenset(chars), others=True, many=many)


class Automaton:
    """Covers what one of its rows covers. A state is a set of places, the bits of a number."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._units: list[Unit | None] = []
        start = self._ends = 0
        for row in rows:
            start |= 1 << len(self._units)
            self._units += [*row, None]
            self._ends |= 1 << (len(self._units) - 1)
        self._runs = sum(1 << place for place, unit in enumerate(self._units) if unit and unit.many)
        # A run of anything that ends a row: whoever is there has matched, whatever follows.
        self._forever = sum(
            1 << place
            for place, unit in enumerate(self._units)
            if unit == ANY and self._units[place + 1] is None
        )
        self._tables = self._tabled()
        self._walks: dict[tuple[int, str], int] = {}
        self.start = self._closed(start)

    def walk(self, state: int, characters: str) -> int:
        """The state that a text leads to; 0 if nothing can match any more."""
        known = self._walks.get((state, characters))
        if known is None:
            known = state
            for char in characters:
                known = self._step(known, char)
            if known & self._forever:
                known = self._forever | self._ends
            self._walks[state, characters] = known
        return known

    def step(self, state: int, token: str) -> int:
        """The same, as a walk asks."""
        return self.walk(state, token)

    def _step(self, state: int, char: str) -> int:
        ones, runs = self.table(char)
        return self._closed((state & ones) << 1 | (state & runs))

    def accepts(self, state: int) -> bool:
        """Whether what was read is covered."""
        return bool(state & self._ends)

    def settled(self, state: int) -> bool:
        """Whether what follows can change nothing."""
        return not state or bool(state & self._forever)

    def table(self, char: str) -> tuple[int, int]:
        """The places that a character leads on from, and those where it stays."""
        return self._tables.get(char, self._tables[""])

    @property
    def chars(self) -> frozenset[str]:
        """Every character that it tells from others."""
        return frozenset(self._tables) - {""}

    def _tabled(self) -> dict[str, tuple[int, int]]:
        """The table of each character that a unit names, and that of all others, under ""."""
        usual = [0, 0]
        turned: dict[str, list[int]] = {}
        for place, unit in enumerate(self._units):
            if unit is None:
                continue
            bit = 1 << place
            usual[unit.many] |= bit if unit.others else 0
            for char in unit.chars:
                turned.setdefault(char, [0, 0])[unit.many] |= bit
        tables = {char: (usual[0] ^ ones, usual[1] ^ runs) for char, (ones, runs) in turned.items()}
        return tables | {"": (usual[0], usual[1])}

    def _closed(self, state: int) -> int:
        """With the places that lie behind runs, which may be empty."""
        while True:
            after = state | (state & self._runs) << 1
            if after == state:
                return state
            state = after


class Tracked(Protocol):
    """What a walk keeps track of: whether a pattern covers what was read."""

    @property
    def start(self) -> int:
        """The state before anything is read."""

    def step(self, state: int, token: str, /) -> int:
        """The state that a token leads to."""

    def accepts(self, state: int, /) -> bool:
        """Whether what was read is covered."""


class Language(Protocol[State]):
    """The texts that are asked about."""

    @property
    def start(self) -> State:
        """The state before anything is read."""

    def step(self, state: State, token: str, /) -> State | None:
        """The state that a token leads to; None where no text of the language goes on so."""

    def accepts(self, state: State, /) -> bool:
        """Whether what was read is one of the texts."""


class Within:
    """The texts that `inside` covers and `outside` does not."""

    def __init__(self, inside: Iterable[Row], outside: Iterable[Row] = ()) -> None:
        self.inside, self.outside = Automaton(inside), Automaton(outside)
        self.start = (self.inside.start, self.outside.start)

    def step(self, state: tuple[int, int], token: str) -> tuple[int, int] | None:
        """Read a token's characters."""
        inside = self.inside.walk(state[0], token)
        return (inside, self.outside.walk(state[1], token)) if inside else None

    def accepts(self, state: tuple[int, int]) -> bool:
        """Whether what was read is one of the texts."""
        return self.inside.accepts(state[0]) and not self.outside.accepts(state[1])


def classes(
    language: Language[State], tracked: Sequence[Tracked], alphabet: Sequence[str], limit: int
) -> dict[tuple[bool, ...], str]:
    """The shortest text of a language for each set of patterns that some text of it matches.

    `alphabet` are the tokens that texts are made of. Raises TooManyError beyond `limit` states.
    """
    first = (language.start, tuple(one.start for one in tracked))
    found: dict[tuple[bool, ...], str] = {}
    seen = {first}
    waiting = deque([(first, "")])
    while waiting:
        (inside, states), read = waiting.popleft()
        if language.accepts(inside):
            matched = tuple([one.accepts(at) for one, at in zip(tracked, states, strict=True)])
            found.setdefault(matched, read)
        for token in alphabet:
            then = language.step(inside, token)
            if then is None:
                continue
            steps = [one.step(at, token) for one, at in zip(tracked, states, strict=True)]
            after = (then, tuple(steps))
            if after not in seen:
                if len(seen) >= limit:
                    raise TooManyError
                seen.add(after)
                waiting.append((after, read + token))
    return found


_NICE = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_~"


def alphabet(
    automata: Sequence[Automaton], allowed: Callable[[str], bool] = lambda _: True
) -> list[str]:
    """One of each class of characters that automata can tell apart, of those that are allowed."""
    named = frozenset().union(*(one.chars for one in automata))
    others = [char for char in _NICE if char not in named][:1]
    if not others:
        others = [next(chr(code) for code in range(0x4E00, 0x9FFF) if chr(code) not in named)]
    candidates = [*others, *sorted(named, key=lambda char: (char not in _NICE, char))]
    kept: dict[tuple[tuple[int, int], ...], str] = {}
    for char in filter(allowed, candidates):
        kept.setdefault(tuple(one.table(char) for one in automata), char)
    return list(kept.values())
