"""What `access verify` makes of answers: who was let in, and whether that proves anything."""

from __future__ import annotations

import pytest

from backstairs.access import Verdict
from backstairs.cli.verify import Made, read, told
from backstairs.client import Answer
from backstairs.report.matrix import Cell, matrix_of
from tests.report.built import application


def cell(verdict: Verdict) -> Cell:
    """A call of the small application that is decided so."""
    return next(one for one in matrix_of(application()).cells if one.verdict is verdict)


def test_no_call_made_is_no_agreement() -> None:
    """A run that has none of the template's APIs proves nothing about it."""
    lines, agree = told([Made(cell(Verdict.ALLOWED), None, "ClaimsApi is not deployed here")])
    assert lines == [
        "0 calls made: proof and answer agree on 0.",
        "1 not made: ClaimsApi is not deployed here.",
    ]
    assert not agree


def test_an_answer_as_the_proof_says_is_agreement() -> None:
    """And is counted."""
    made = told([Made(cell(Verdict.ALLOWED), Verdict.ALLOWED, "200")])
    assert made == (["1 calls made: proof and answer agree on 1."], True)


@pytest.mark.parametrize("said", [Verdict.REFUSED, Verdict.UNKNOWN])
def test_another_answer_is_printed(said: Verdict) -> None:
    """With what the proof says."""
    lines, agree = told([Made(cell(Verdict.ALLOWED), said, "403 Some")])
    assert "the proof says allowed, the answer is 403 Some" in lines[0]
    assert not agree


@pytest.mark.parametrize(
    "kind", ["AccessDeniedException", "BackstairsRefused", "InvalidSignatureException"]
)
def test_whatever_refusal_it_is_nobody_was_let_in(kind: str) -> None:
    """Not by a policy, not by a signature."""
    answer = Answer(403, {"x-amzn-errortype": kind}, b"")
    assert read(answer) == (Verdict.REFUSED, f"403 {kind}")
