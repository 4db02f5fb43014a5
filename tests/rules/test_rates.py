"""The token buckets, by a clock of the test's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.rules.rates import Rates

LATER = 1_000_000.0


def test_no_limit() -> None:
    rates = Rates(0)
    assert [rates.take("a", 10**9, 0.0) for _ in range(3)] == [0, 0, 0]


def test_a_burst_of_ten_seconds_worth_then_the_rate() -> None:
    rates = Rates(5)
    assert [rates.take("a", 10, 0.0) for _ in range(6)] == [0, 0, 0, 0, 0, 2]
    assert [rates.take("a", 5, now) for now in (0.9, 1.0, 1.0, 2.0)] == [1, 0, 1, 0]


def test_names_have_buckets_of_their_own() -> None:
    rates = Rates(1)
    assert [rates.take(name, 10, 0.0) for name in "aab"] == [0, 10, 0]


@pytest.mark.parametrize("count", [10, 11, 100])
def test_a_request_larger_than_the_bucket_passes_when_it_is_full(count: int) -> None:
    rates = Rates(1)
    assert rates.take("a", count, 0.0) == 0
    wait = rates.take("a", count, 0.0)
    assert wait == count
    assert rates.take("a", count, wait - 0.5) == 1
    assert rates.take("a", count, float(wait)) == 0


def test_a_rest_fills_the_bucket_only_once() -> None:
    rates = Rates(1)
    assert rates.take("a", 10, 0.0) == 0
    assert rates.take("a", 10, LATER) == 0
    assert rates.take("a", 1, LATER) == 1


REQUESTS = st.lists(st.tuples(st.integers(1, 100), st.floats(0, 30)), max_size=60)


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 50), REQUESTS)
def test_whoever_waits_as_told_gets_in(per_second: int, requests: list[tuple[int, float]]) -> None:
    rates, now = Rates(per_second), 0.0
    for count, pause in requests:
        now += pause
        if wait := rates.take("a", count, now):
            now += wait
            assert rates.take("a", count, now + 1e-6) == 0
            now += 1e-6


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 50), REQUESTS)
def test_never_more_than_the_rate(per_second: int, requests: list[tuple[int, float]]) -> None:
    rates, now, taken, largest = Rates(per_second), 0.0, 0, 0
    for count, pause in requests:
        now += pause
        largest = max(largest, count)
        taken += 0 if rates.take("a", count, now) else count
    assert taken <= per_second * (Rates.BURST_SECONDS + now) + largest + 1e-6
