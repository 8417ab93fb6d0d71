"""What is delivered after a failure: each rule of AWS's by itself, and all of them by chance."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstairs.runtime.batches import Batch, Failure, Policy, after, expired, is_exhausted

RECORDS: list[Any] = [
    {"name": name, "dynamodb": {"ApproximateCreationDateTime": 1000.0 + number}}
    for number, name in enumerate("abcd")
]
SPLITTING = Policy(bisect=True)


def names(batches: list[Batch]) -> list[str]:
    """The batches' records, a word each."""
    return ["".join(record["name"] for record in batch.records) for batch in batches]


@pytest.mark.parametrize("policy", [Policy(), SPLITTING])
def test_what_was_done_is_not_delivered_again(policy: Policy) -> None:
    """A function that names a record is invoked with that one and what follows, as if new."""
    (rest,) = after(Failure(first=2), Batch(RECORDS, failures=3, attempts=3), policy)
    assert names([rest]) == ["cd"]
    assert (rest.failures, rest.attempts) == (0, 0)


def test_a_batch_that_failed_as_a_whole_is_split() -> None:
    """In the middle, in order, and no attempt is used up."""
    halves = after(Failure(whole=True), Batch(RECORDS, attempts=1), SPLITTING)
    assert names(halves) == ["ab", "cd"]
    assert [half.attempts for half in halves] == [1, 1]
    (single,) = after(Failure(whole=True), Batch(RECORDS[:1], attempts=1), SPLITTING)
    assert single.attempts == 2


def test_a_function_that_names_the_first_record_gets_the_same_batch_again() -> None:
    """There is nothing to split: the function said where it stopped."""
    (again,) = after(Failure(first=0), Batch(RECORDS), SPLITTING)
    assert names([again]) == ["abcd"]
    assert again.attempts == 1


def test_a_function_that_could_not_be_invoked_uses_up_no_attempt() -> None:
    """However often: only the records' age ends that."""
    batch = Batch(RECORDS)
    for _ in range(5000):
        (batch,) = after(Failure(invoked=False), batch, SPLITTING)
    assert not is_exhausted(batch, Policy(retries=0))
    assert batch.pause == 5.0


def test_the_retries_are_used_up_after_one_attempt_and_that_many_more() -> None:
    """None of them is unlimited."""
    assert not is_exhausted(Batch(RECORDS, attempts=2), Policy(retries=2))
    assert is_exhausted(Batch(RECORDS, attempts=3), Policy(retries=2))
    assert not is_exhausted(Batch(RECORDS, attempts=10**6), Policy(retries=None))


@pytest.mark.parametrize(
    ("now", "old"), [(1009.0, 0), (1010.0, 0), (1010.5, 1), (1012.5, 3), (2000.0, 4)]
)
def test_records_past_their_age_are_given_up_and_no_others(now: float, old: int) -> None:
    """A younger one behind them is still delivered."""
    assert expired(Batch(RECORDS), Policy(maximum_age=10), now) == old
    assert expired(Batch(RECORDS), Policy(maximum_age=None), now) == 0


@given(
    failures=st.lists(
        st.builds(Failure, st.integers(0, 3), whole=st.booleans(), invoked=st.booleans()),
        max_size=60,
    ),
    bisect=st.booleans(),
)
def test_nothing_is_lost_and_nothing_changes_places(
    failures: list[Failure], *, bisect: bool
) -> None:
    """Whatever fails: what is done, then what waits, is always the whole in its order."""
    done, waiting = "", [Batch(RECORDS)]
    for failure in failures:
        if not waiting:
            break
        batch = waiting.pop(0)
        first = 0 if failure.whole or not failure.invoked else failure.first
        if first >= len(batch.records):
            done += names([batch])[0]
        else:
            done += names([batch])[0][:first]
            known = Failure(first, failure.whole, failure.invoked)
            waiting[:0] = after(known, batch, Policy(bisect=bisect))
        assert done + "".join(names(waiting)) == "abcd"
