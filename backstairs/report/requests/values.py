"""The values of condition keys, one of each class that conditions can tell apart."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

from backstairs.access.conditions import compared
from backstairs.access.patterns import substitute
from backstairs.report.requests.automata import Automaton, Row, Within, alphabet, classes, text
from backstairs.report.requests.patterns import arn_like, exactly, in_any_case, like

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from backstairs.access.conditions import Condition
    from backstairs.access.patterns import Lookup
    from backstairs.access.policy import Statement

_ROWS: dict[str, Callable[[str], Row | None]] = {
    "stringequals": exactly,
    "stringequalsignorecase": in_any_case,
    "stringlike": like,
    "arnequals": arn_like,
    "arnlike": arn_like,
    "bool": in_any_case,
}
MOMENTS = ("aws:currenttime", "aws:epochtime")
_VARIABLE = re.compile(r"\$\{([^}*?$][^}]*)\}")
_SOON = datetime(2030, 1, 1, tzinfo=UTC)


def conditions_on(key: str, statements: Iterable[Statement]) -> list[Condition]:
    """The conditions on a key; one that ends in `/` stands for all that begin with it."""
    return [
        condition
        for statement in statements
        for condition in statement.conditions
        if condition.key.lower() == key
        or (key.endswith("/") and condition.key.lower().startswith(key))
    ]


def rows_of(condition: Condition, lookup: Lookup = lambda _: None) -> list[Row]:
    """What a condition on text covers, its variables replaced; nothing for other conditions."""
    read = _ROWS.get(compared(condition.operator) or "")
    if read is None:
        return []
    rows = []
    for value in condition.values:
        known = substitute(value, lookup) if isinstance(value, str) else None
        row = read(known) if isinstance(known, str) else None
        if row is not None:
            rows.append(row)
    return rows


def is_text(condition: Condition) -> bool:
    """Whether a condition compares text, or nothing but presence."""
    return condition.operator.lower() == "null" or (compared(condition.operator) or "") in _ROWS


def texts(
    conditions: Sequence[Condition],
    inside: Iterable[Row],
    *,
    known: Iterable[str] = (),
    lookup: Lookup = lambda _: None,
    limit: int,
) -> list[str]:
    """A value of each class of texts; none of `known` stands for others.

    `inside` are the values that exist, besides those that are named. Raises TooManyError.
    """
    by_condition = (tuple(rows_of(condition, lookup)) for condition in conditions)
    told = tuple(rows for rows in by_condition if rows)
    found = _texts(told, tuple(inside), tuple(text(one) for one in known), limit)
    return list(dict.fromkeys([*found, *_measures(conditions)]))


@lru_cache(maxsize=1024)
def _texts(
    told: tuple[tuple[Row, ...], ...], inside: tuple[Row, ...], known: tuple[Row, ...], limit: int
) -> tuple[str, ...]:
    tracked = [Automaton(rows) for rows in (*told, known) if rows]
    literal = [row for rows in told for row in rows if all(not one.others for one in row)]
    language = Within([*inside, *literal])
    tokens = alphabet([*tracked, language.inside], str.isprintable)
    return tuple(classes(language, tracked, tokens, limit).values())


def _measures(conditions: Iterable[Condition]) -> list[str]:
    """Numbers and dates at, below, between and above those that conditions name."""
    dates: list[str] = []
    numbers: set[float] = set()
    for condition in conditions:
        kind = compared(condition.operator) or ""
        for value in condition.values:
            with suppress(ValueError, OverflowError):
                if kind.startswith("numeric"):
                    numbers.add(float(str(value)))
                elif kind.startswith("date"):
                    dates += [f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in _around(str(value))]
    named = sorted(filter(isfinite, numbers))
    between = [(low + high) / 2 for low, high in pairwise(named)]
    outside = [named[0] - 1, named[-1] + 1] if named else []
    return [*dates, *map(repr, (*named, *between, *outside))]


def variables_of(statement: Statement) -> set[str]:
    """The condition keys that a statement's variables stand for, in lower case."""
    texts = [*statement.resources, *(one for of in statement.conditions for one in of.values)]
    found = {name for text in texts if isinstance(text, str) for name in _VARIABLE.findall(text)}
    return {name.partition(",")[0].strip().lower() for name in found}


def is_measured(condition: Condition) -> bool:
    """Whether a condition on the time has values that are understood as times."""
    try:
        return all(_around(str(value)) for value in condition.values) and not is_text(condition)
    except (ValueError, OverflowError, OSError):
        return False


def moments(statements: Sequence[Statement]) -> Sequence[datetime | None]:
    """A time of each class; None alone where no condition asks for it."""
    named = [condition for key in MOMENTS for condition in conditions_on(key, statements)]
    if not named:
        return [None]
    found = {_SOON}
    for condition in named:
        for value in condition.values:
            with suppress(ValueError, OverflowError, OSError):
                found.update(_around(str(value)))
    return sorted(found)


def _around(value: str) -> list[datetime]:
    """The seconds at, before and after a date or a number of seconds."""
    if value.replace(".", "", 1).isdigit():
        moment = datetime.fromtimestamp(float(value), UTC)
    else:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    second = moment.astimezone(UTC).replace(microsecond=0)
    return [second + timedelta(seconds=more) for more in (-1, 0, 1)]
