"""Calls in the contract's own sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.report.contract import EVERYBODY, EVERYWHERE
from backstairs.report.formats.words import listed

if TYPE_CHECKING:
    from backstairs.report.groups import Group
    from backstairs.report.matrix import Matrix


def sentence(group: Group, matrix: Matrix, may: str = "may") -> str:
    """`NotifierFunction may GET /members/{memberId} of ClaimsApi from Endpoint`."""
    who = listed((one.name for one in group.callers), None)
    where = listed((one.name for one in group.entrances), None)
    if len(group.callers) >= len(matrix.callers):
        who = EVERYBODY
    if len(group.entrances) == len(matrix.entrances):
        where = EVERYWHERE
    api = group.cell.question.api
    every = sum(question.api is api for question in matrix.questions)
    what = listed((one.label for one in group.questions), None)
    if len(group.questions) == every > 1:
        what = "call every route"
    return f"{who} {may} {what} of {api.name} from {where}"
