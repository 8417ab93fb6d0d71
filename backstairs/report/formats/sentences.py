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
    what = listed((one.label for one in group.questions), None)
    return f"{who} {may} {what} of {group.cell.question.api.name} from {where}"
