"""Who reaches which endpoint by packets: as lines of at most 80 columns, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backstairs.report.formats import words
from backstairs.report.formats.text import fold
from backstairs.report.reach import Reachability

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backstairs.access import Reason
    from backstairs.report.network.names import Name
    from backstairs.report.reach import Reach
    from backstairs.template.model import Application

_ORDER = tuple(Reachability)
_ANSWERS = {True: "yes", False: "no", None: "not known"}
_ONLY = "Packets alone: whether the API then answers is for the matrix to say."


def render(application: Application, found: Sequence[Reach], *, why: bool = False) -> str:
    """Clients of each endpoint, alike ones together; with `why` every name and rule as well."""
    lines = fold(f"{application.file}: who reaches the execute-api endpoints by packets")
    if not found:
        lines += ["", "It declares no endpoint and no API that names one, or nobody to call it."]
    for endpoint in dict.fromkeys(one.endpoint for one in found):
        lines += ["", *fold(endpoint, 2)]
        ours = [one for one in found if one.endpoint == endpoint]
        for group in sorted(_alike(ours), key=lambda group: _ORDER.index(group[0].verdict)):
            lines += _group(group, why=why)
    for part in application.networks.not_modelled:
        lines += ["", *fold(f"{part.name}: {part.why} ({part.source})", 2, 2)]
    return "\n".join([*lines, "", _ONLY]) + "\n"


def _alike(found: Sequence[Reach]) -> list[list[Reach]]:
    """Clients for which all is the same but their own lines."""
    groups: dict[object, list[Reach]] = {}
    for one in found:
        texts = tuple((reason.rule, reason.text) for reason in one.reasons)
        groups.setdefault((one.verdict, texts, one.names), []).append(one)
    return list(groups.values())


def _group(group: Sequence[Reach], *, why: bool) -> Iterator[str]:
    first = group[0]
    who = words.listed([one.client.name for one in group], None if why else 6)
    yield from fold(f"{first.verdict.value}: {who}", 4, 2)
    reasons = first.reasons if why or first.stop is None else (first.stop,)
    for reason in reasons:
        known = f" [{reason.rule.name}, {reason.rule.known.value}]" if why else ""
        yield from fold(f"{words.reason(reason)}{known}", 8, 2)
    for name in first.names if why else ():
        yield from fold(f"{name.name}: {_ANSWERS[name.step.truth]}: {name.step.reason.text}", 8, 2)


def as_json(application: Application, found: Sequence[Reach]) -> str:
    """One document: every client with every endpoint, all reasons and names."""
    document = {
        "version": 1,
        "template": application.file,
        "reach": [_as_mapping(one) for one in found],
        "notModelled": [
            {"name": part.name, "why": part.why, "source": str(part.source)}
            for part in application.networks.not_modelled
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _as_mapping(one: Reach) -> dict[str, Any]:
    return {
        "client": one.client.name,
        "kind": one.client.kind,
        "endpoint": one.endpoint,
        "verdict": one.verdict.value,
        "reasons": [_reason(reason) for reason in one.reasons],
        "names": [_name(name) for name in one.names],
    }


def _name(name: Name) -> dict[str, Any]:
    return {"name": name.name, "leadsThere": name.step.truth, **_reason(name.step.reason)}


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "text": reason.text,
        "rule": reason.rule.name,
        "known": reason.rule.known.value,
        "source": str(reason.source) if reason.source else None,
    }
