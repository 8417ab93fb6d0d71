"""The matrix as one page that needs nothing else: a table to filter, a map, and the reasons.

The page is `page.html`, with `page.css` and `page.js` written into it. A Content-Security-Policy
admits that one script and that one style by their digests, and nothing from anywhere else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from backstairs.report.formats import words
from backstairs.report.reach import reach

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from backstairs.access import Reason, Rule
    from backstairs.report.matrix import Cell, Matrix
    from backstairs.template.model import Application


def render(matrix: Matrix) -> str:
    """The whole page as text."""
    here = files("backstairs.report.formats")
    page, css, js = ((here / name).read_text("utf-8") for name in ("page.html", *_PARTS))
    data = json.dumps(page_data(matrix), separators=(",", ":"))
    policy = (
        f"default-src 'none'; script-src {_digest(js)}; style-src {_digest(css)}; "
        "base-uri 'none'; form-action 'none'"
    )
    title = f"Who can call what: {matrix.application.file}"
    parts = {
        "policy": policy,
        "title": html.escape(title),
        "css": css,
        # Nothing in the data ends the element that holds it.
        "data": data.replace("<", "\\u003c"),
        "js": js,
    }
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text, 1)
    return page


_PARTS = ("page.css", "page.js")


def _digest(text: str) -> str:
    """A part as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class _Table:
    """Values, each once; `number` is a value's place."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, key: Hashable, row: Any) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self.rows)
            self.rows.append(row)
        return self._numbers[key]


def page_data(matrix: Matrix) -> dict[str, Any]:
    """What the page shows; its tables point into each other by number.

    `cells` has for each question, entrance and caller the number of a decision, -1 where the
    question is not asked of that caller.
    """
    tables = _Decisions()
    application = matrix.application
    callers = list(dict.fromkeys((*matrix.callers, *(cell.caller for cell in matrix.cells))))
    functions = {one.arn: one.name for one in application.functions}
    apis = list({id(question.api): question.api for question in matrix.questions}.values())
    numbers = {id(api): number for number, api in enumerate(apis)}
    return {
        "file": application.file,
        "where": f"region {application.region}, account {application.account}",
        "summary": words.summary(matrix),
        "apis": [
            {"name": api.name, "line": words.api_line(api), "source": str(api.source)}
            for api in apis
        ],
        "questions": [
            {
                "api": numbers[id(question.api)],
                "label": question.label,
                "asks": words.asks([question.route]),
                "function": _function(question.route.function, functions),
                "source": str(question.api.route_sources.get(question.route, "")),
            }
            for question in matrix.questions
        ],
        "callers": [
            {"name": one.name, "says": one.says, "source": str(one.source or "")} for one in callers
        ],
        "entrances": [
            {
                "name": one.name,
                "says": one.says,
                "assumes": one.assumes,
                "endpoint": one.origin.endpoint is not None,
            }
            for one in matrix.entrances
        ],
        "clients": _clients(application, [one.name for one in matrix.entrances], tables),
        "cells": _cells(matrix, callers, tables),
        "decisions": tables.decisions.rows,
        "reasons": tables.reasons.rows,
        "rules": tables.rules.rows,
        "besides": words.besides(matrix),
    }


def _function(arn: str | None, names: dict[str, str]) -> str:
    """The name of the function behind a route; an alias belongs to its function."""
    if arn is None:
        return "no function"
    return names.get(arn) or names.get(arn.rpartition(":")[0]) or arn


class _Decisions:
    """The decisions, their reasons and the reasons' rules, each once."""

    def __init__(self) -> None:
        self.decisions, self.reasons, self.rules = _Table(), _Table(), _Table()
        self._known: dict[Hashable, int] = {}

    def number(self, cell: Cell) -> int:
        """A cell's decision."""
        found = self._known.get(cell.told)
        if found is None:
            decision = cell.decision
            reasons = tuple(map(self.reason, decision.reasons))
            row = [decision.verdict.value, list(reasons), [str(one) for one in decision.lacks]]
            found = self.decisions.number((row[0], reasons, tuple(row[2])), row)
            self._known[cell.told] = found
        return found

    def reason(self, reason: Reason) -> int:
        """A reason's place."""
        source = str(reason.source or "")
        row = [reason.text, source, self._rule(reason.rule)]
        return self.reasons.number(tuple(row), row)

    def _rule(self, rule: Rule) -> int:
        return self.rules.number(rule.name, [rule.name, rule.says, rule.known.value, rule.source])


def _clients(
    application: Application, entrances: Sequence[str], tables: _Decisions
) -> list[dict[str, Any]]:
    """Where calls come from in the networks, and which endpoints they reach by packets."""
    clients: dict[str, dict[str, Any]] = {}
    for one in reach(application):
        client = clients.setdefault(
            one.client.name, {"name": one.client.name, "kind": one.client.kind, "ways": []}
        )
        if one.endpoint in entrances:
            reasons = one.reasons if one.stop is None else (one.stop,)
            client["ways"].append(
                {
                    "entrance": entrances.index(one.endpoint),
                    "verdict": one.verdict.value,
                    "reasons": [tables.reason(reason) for reason in reasons],
                }
            )
    return list(clients.values())


def _cells(matrix: Matrix, callers: Sequence[object], tables: _Decisions) -> list[list[list[int]]]:
    rows = {question: number for number, question in enumerate(matrix.questions)}
    ways = {entrance: number for number, entrance in enumerate(matrix.entrances)}
    columns = {caller: number for number, caller in enumerate(callers)}
    cells = [[[-1] * len(columns) for _ in ways] for _ in rows]
    for cell in matrix.cells:
        row = cells[rows[cell.question]][ways[cell.entrance]]
        row[columns[cell.caller]] = tables.number(cell)
    return cells
