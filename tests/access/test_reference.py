"""The decision and an independent reading of AWS's documents say the same of random worlds."""

from collections import Counter

from benchmarks.access.reference import compare
from benchmarks.access.reference_witnesses import check
from benchmarks.access.reference_worlds import TINY, drawn


def test_the_reference_agrees_on_each_cell() -> None:
    """Every verdict of both kinds is met, and none is met by another."""
    met, _ = compare(2_000)
    pairs = {pair[:2] for pair in met}
    assert pairs == {(verdict, verdict) for verdict in ("allowed", "refused", "unknown")}


def test_every_request_that_the_reference_admits_has_a_witness() -> None:
    """Worlds so small that all their requests can be tried."""
    met = Counter[str]()
    differences = [each for number in range(8) for each in check(drawn(number, tuple(TINY)), met)]
    assert differences == []
    assert met["kinds of requests admitted, with a witness"]
