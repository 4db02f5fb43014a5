"""The token buckets, by a clock of the test's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.rules.rates import SWEEP_FROM, AtMost, Rates

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


@settings(max_examples=100)
@given(st.integers(1, 50), REQUESTS)
def test_whoever_waits_as_told_gets_in(per_second: int, requests: list[tuple[int, float]]) -> None:
    rates, now = Rates(per_second), 0.0
    for count, pause in requests:
        now += pause
        if wait := rates.take("a", count, now):
            now += wait
            assert rates.take("a", count, now + 1e-6) == 0
            now += 1e-6


@settings(max_examples=100)
@given(st.integers(1, 50), REQUESTS)
def test_never_more_than_the_rate(per_second: int, requests: list[tuple[int, float]]) -> None:
    rates, now, taken, largest = Rates(per_second), 0.0, 0, 0
    for count, pause in requests:
        now += pause
        largest = max(largest, count)
        taken += 0 if rates.take("a", count, now) else count
    assert taken <= per_second * (Rates.BURST_SECONDS + now) + largest + 1e-6


def test_at_most_so_many_in_any_minute() -> None:
    tokens = AtMost(2, 60)
    times = [0.0, 30.0, 59.0, 60.0, 61.0, 89.5, 90.0]
    assert [tokens.take("a", now) for now in times] == [0, 0, 1, 0, 29, 1, 0]
    assert tokens.take("b", 90.0) == 0


def test_what_came_to_nothing_is_not_counted() -> None:
    tokens = AtMost(2, 60)
    tokens.give_back("a")
    for _ in range(3):
        assert tokens.take("a", 0.0) == 0
        tokens.give_back("a")
    assert len(tokens) == 0
    assert [tokens.take("a", 1.0) for _ in range(3)] == [0, 0, 60]


PAUSES = st.integers(0, 24).map(lambda eighths: eighths / 8)  # sums of these are exact
ASKING = st.lists(st.tuples(st.sampled_from("ab"), PAUSES), max_size=80)


def test_a_wait_that_is_lost_in_rounding_is_over() -> None:
    rates = AtMost(1, 2.0)
    assert rates.take("a", 0.7652070772182651) == 0
    assert rates.take("a", 2.765207077218265) == 0
    assert rates.take("a", 2.765207077218265) == 2  # the one before was counted


@settings(max_examples=100)
@given(st.integers(1, 5), ASKING)
def test_no_window_has_more_than_the_limit(count: int, asking: list[tuple[str, float]]) -> None:
    rates, now = AtMost(count, 2.0), 0.0
    taken: dict[str, list[float]] = {"a": [], "b": []}
    for name, pause in asking:
        now += pause
        wait = rates.take(name, now)
        last = [time for time in taken[name] if now - time < 2.0]
        assert (wait == 0) == (len(last) < count)
        if not wait:
            taken[name].append(now)


@pytest.mark.parametrize("seconds", [10.0, 1_000.0])
def test_names_that_can_do_no_harm_are_forgotten(seconds: float) -> None:
    rates, exact = Rates(1), AtMost(10, 10.0)
    rates.take("spent", 10, 0.0)
    for number in range(20 * SWEEP_FROM):
        now = number * seconds / SWEEP_FROM
        rates.take(f"name {number}", 1, now)
        exact.take(f"name {number}", now)
    assert len(rates) <= 3 * SWEEP_FROM
    assert len(exact) <= 3 * SWEEP_FROM


def test_a_name_is_not_forgotten_while_it_owes() -> None:
    rates = Rates(1)
    rates.take("spent", 10, 0.0)
    for number in range(3 * SWEEP_FROM):
        rates.take(f"name {number}", 1, 5.0)
    assert rates.take("spent", 10, 5.0) == 5
