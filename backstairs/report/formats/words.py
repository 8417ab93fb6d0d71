"""Names and reasons as every format says them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Authorization, Kind, Verdict, admitted_if
from backstairs.report.matrix import NOT_MODELLED, call_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from backstairs.access import Decision, Reason, Route
    from backstairs.report.callers import Caller
    from backstairs.report.entrances import Entrance
    from backstairs.report.groups import Block, Cluster
    from backstairs.report.matrix import Matrix
    from backstairs.report.questions import Question
    from backstairs.template.model import DeclaredApi

SAYS = {Verdict.ALLOWED: "may call", Verdict.UNKNOWN: "unknown", Verdict.REFUSED: "may not"}
_SHOWN = 6


def plain(text: str) -> str:
    """A text of a template as a terminal can show it: no sign moves, hides or colours anything."""
    return "".join(
        sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in text
    )


def listed(names: Iterable[str], shown: int | None = _SHOWN) -> str:
    """`a, b and c`; of many the first, and how many more."""
    found = list(names)
    if shown is not None and len(found) > shown + 1:
        found = [*found[:shown], f"{len(found) - shown} more"]
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def people(who: Sequence[Caller], everybody: Collection[Caller], shown: int | None = _SHOWN) -> str:
    """The callers by name, `everybody` where none is missing."""
    if len(who) == len(everybody):
        return "everybody"
    missing = [one.name for one in everybody if one not in set(who)]
    if len(missing) <= 1 < len(who):
        return f"everybody but {listed(missing)}"
    return listed((one.name for one in who), shown)


def places(where: Sequence[Entrance], everywhere: Collection[Entrance]) -> str:
    """The entrances by name, `everywhere` where none is missing."""
    if len(where) == len(everywhere):
        return "everywhere"
    return listed((one.name for one in where), None)


def api_line(declared: DeclaredApi) -> str:
    """An API's name, kind and stage."""
    api = declared.api
    kind = "private" if api.private else "public"
    what = "HTTP API" if api.kind is Kind.HTTP else "REST API"
    return f"{declared.name}: {kind} {what}, stage {api.stage}"


def asked(block: Block) -> str:
    """How the routes of a block ask who calls."""
    return asks([question.route for question in block.questions])


def asks(routes: Iterable[Route]) -> str:
    """How routes ask who calls: by their authorization, and an API key if all want one."""
    found = list(routes)
    said = sorted({route.authorization.value for route in found})
    said = ["no authorization" if kind == Authorization.NONE.value else kind for kind in said]
    with_key = all(route.needs_key for route in found)
    return " or ".join(said) + (" and an API key" if with_key else "")


def deciding(decision: Decision) -> Reason:
    """The reason that decided: the last."""
    return decision.reasons[-1]


def reason(one: Reason) -> str:
    """A reason in words, and where what decided is written."""
    return f"{one.text} ({one.source})" if one.source else one.text


def why(cluster: Cluster) -> str:
    """The deciding reason of a cluster in words; of unlike ones an example."""
    text = reason(deciding(cluster.decision))
    return text if cluster.alike else f"{text} (others likewise)"


def conditions(matrix: Matrix, question: Question, cluster: Cluster) -> str:
    """What would admit an unknown call of a cluster: `allowed if ...`; empty if that is unknown."""
    if cluster.verdict is not Verdict.UNKNOWN:
        return ""
    call = call_of(question, cluster.callers[0], cluster.entrances[0], matrix.facts)
    ways = [" and ".join(map(str, way)) for way in admitted_if(call, cluster.decision) if way]
    return f"allowed if {', or if '.join(ways)}" if ways else ""


def summary(matrix: Matrix) -> str:
    """How many of what, and how they are decided."""
    count = dict.fromkeys(Verdict, 0)
    for cell in matrix.cells:
        count[cell.verdict] += 1
    return (
        f"{len(matrix.cells)} calls decided: {len(matrix.questions)} requests, "
        f"{len(matrix.callers)} callers, {len(matrix.entrances)} ways in. "
        f"{count[Verdict.ALLOWED]} may be made, {count[Verdict.REFUSED]} may not, "
        f"{count[Verdict.UNKNOWN]} are unknown."
    )


def besides(matrix: Matrix) -> list[tuple[str, list[str]]]:
    """What the matrix does not say: items by title, no title without an item."""
    application = matrix.application
    # No endpoint answers for a public API, whatever its policy.
    private = any(declared.api.private for declared in application.apis)
    sections: list[tuple[str, list[str]]] = [
        (
            "Other ways to a function, not decided here",
            [
                f"{way.name}: {way.kind}: {way.says} ({way.source})"
                for way in application.other_ways
            ],
        ),
        (
            "Not understood, so not in the matrix",
            [f"{part.name}: {part.why} ({part.source})" for part in application.not_read],
        ),
        (
            "Assumed",
            [
                *(
                    f"parameter {name}, which has no value, equals no other"
                    for name in sorted(application.assumed)
                ),
                *(
                    f"{one.name}: {one.assumes}"
                    for one in matrix.entrances
                    if one.assumes and private
                ),
            ],
        ),
        ("Not modelled", [NOT_MODELLED]),
    ]
    return [(title, items) for title, items in sections if items]
