"""The matrix as JSON, by the schema beside this file: every cell, with all its reasons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backstairs.report.matrix import NOT_MODELLED

if TYPE_CHECKING:
    from backstairs.access import Decision, Source
    from backstairs.report.matrix import Matrix

VERSION = 1


def render(matrix: Matrix) -> str:
    """One JSON document, one cell a line."""
    document = as_document(matrix)
    cells = ",\n".join(json.dumps(cell, separators=(",", ":")) for cell in document.pop("cells"))
    head = json.dumps(document, indent=2, default=str)
    return f'{head.removesuffix("}").rstrip()},\n  "cells": [\n{cells}\n]}}\n'


def as_document(matrix: Matrix) -> dict[str, Any]:
    """The document: `cells` are numbers into `requests`, `callers`, `origins` and `decisions`."""
    application = matrix.application
    decisions: dict[tuple[int, str], tuple[int, Decision]] = {}
    requests = {question: number for number, question in enumerate(matrix.questions)}
    who = list(dict.fromkeys(cell.caller for cell in matrix.cells))
    callers = {caller: number for number, caller in enumerate(who)}
    origins = {entrance: number for number, entrance in enumerate(matrix.entrances)}
    cells = []
    for cell in matrix.cells:
        number, _ = decisions.setdefault(cell.told, (len(decisions), cell.decision))
        place = (requests[cell.question], callers[cell.caller], origins[cell.entrance])
        cells.append([*place, number])
    decided = [decision for _, decision in decisions.values()]
    rules = {reason.rule for decision in decided for reason in decision.reasons}
    return {
        "version": VERSION,
        "template": application.file,
        "account": application.account,
        "region": application.region,
        "parameters": {name: str(value) for name, value in application.parameters.items()},
        "assumed": sorted(application.assumed),
        "requests": [
            {
                "api": question.api.name,
                "stage": question.api.api.stage,
                "private": question.api.api.private,
                "kind": question.api.api.kind.value,
                "route": f"{question.route.method} {question.route.path}",
                "method": question.method,
                "path": question.path,
                "authorization": question.route.authorization.value,
                "needsKey": question.route.needs_key,
                "function": question.route.function,
                "source": _source(
                    question.api.route_sources.get(question.route, question.api.source)
                ),
            }
            for question in requests
        ],
        "callers": [
            {
                "name": caller.name,
                "role": caller.role or None,
                "functions": list(caller.functions),
                "says": caller.says,
                "principal": caller.principal.principal_arn if caller.principal else None,
                "account": caller.principal.account if caller.principal else None,
                "withKey": caller.with_key,
                "source": _source(caller.source),
            }
            for caller in who
        ],
        "origins": [
            {
                "name": entrance.name,
                "says": entrance.says,
                "assumes": entrance.assumes or None,
                "endpoint": entrance.origin.endpoint.endpoint_id
                if entrance.origin.endpoint
                else None,
                "sourceIp": entrance.origin.source_ip,
                "source": _source(entrance.source),
            }
            for entrance in origins
        ],
        "decisions": [
            {
                "verdict": decision.verdict.value,
                "lacks": [str(lack) for lack in decision.lacks],
                "reasons": [
                    {
                        "rule": reason.rule.name,
                        "text": reason.text,
                        "source": _source(reason.source),
                    }
                    for reason in decision.reasons
                ],
            }
            for decision in decided
        ],
        "rules": {
            rule.name: {"says": rule.says, "known": rule.known.value, "source": rule.source or None}
            for rule in sorted(rules, key=lambda rule: rule.name)
        },
        "otherWays": [
            {
                "name": way.name,
                "kind": way.kind,
                "function": way.function,
                "says": way.says,
                "source": _source(way.source),
            }
            for way in application.other_ways
        ],
        "notRead": [
            {"name": part.name, "why": part.why, "source": _source(part.source)}
            for part in application.not_read
        ],
        "notModelled": NOT_MODELLED,
        "cells": cells,
    }


def _source(source: Source | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {"file": source.file, "line": source.line, "madeBy": source.made_by}
