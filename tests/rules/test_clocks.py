"""Wrong clocks are corrected, and what one sender did stays in its order."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tracker.rules.clocks import MOST, correction, estimate, is_off, told

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
NOW = 1_795_422_600_000
LATENCY = 30 * SECOND


@pytest.mark.parametrize(
    ("seconds", "kept", "corrected"),
    [
        # A clock that nothing is known of.
        (30.001, None, 0),
        (-30.001, None, 0),
        (60, None, 0),
        (-60, None, 0),
        (60.001, None, 60.001),
        (-60.001, None, -60.001),
        (10_800, None, 10_800),
        # One that was not corrected, though its requests were off by more than 30 seconds.
        (60.001, 0, 0),
        (90, 0, 0),
        (-90, 0, 0),
        (120, 0, 0),
        (120.001, 0, 120.001),
        (-120.001, 0, -120.001),
        # One that is corrected.
        (10_680, 10_800, 10_800),
        (10_920, 10_800, 10_800),
        (10_679.999, 10_800, 10_679.999),
        (10_920.001, 10_800, 10_920.001),
        (-10_800, 10_800, -10_800),
        (60.001, 180, 180),
        # It may have been set right: no correction that it could do without.
        (60, 180, 0),
        (45, 80, 0),
        (45, 75, 75),
        (-31, -61, -61),
        (-31, -61.001, 0),
        (40, 10_800, 0),
    ],
)
def test_what_a_request_that_is_off_is_corrected_by(
    seconds: float, kept: float | None, corrected: float
) -> None:
    known = None if kept is None else round(kept * SECOND)
    assert correction(round(seconds * SECOND), known) == round(corrected * SECOND)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (NOW - 50, 50),
        (NOW + 50, -50),
        (NOW - MOST, MOST),
        (NOW - MOST - 1, 0),
        (NOW + MOST, -MOST),
        (NOW + MOST + 1, 0),
        (NOW // SECOND, 0),  # it meant milliseconds
        (0, 0),  # it does not say
    ],
)
def test_estimates(sent: int, expected: int) -> None:
    assert estimate(sent, NOW) == expected


@pytest.mark.parametrize(
    ("off", "expected"),
    [(0, False), (30_000, False), (30_001, True), (-30_000, False), (-30_001, True)],
)
def test_most_requests_need_no_look(off: int, expected: bool) -> None:
    assert is_off(NOW - off, NOW) is expected
    assert not is_off(0, NOW)


class Sender:
    """Someone whose clock is behind by `off`, and what the worker keeps of it."""

    def __init__(self, off: int) -> None:
        self.off = off
        self.kept: int | None = None

    def correction(self, latency: int) -> int:
        """By how much the hits of a request are corrected, as the worker does it."""
        sent = NOW - self.off
        off = estimate(sent, NOW + latency)
        if not is_off(sent, NOW + latency):
            return 0
        self.kept = correction(off, self.kept)
        return self.kept


AROUND = [
    sign * seconds * SECOND + shift
    for seconds in (0, 30, 60, 90, 120)
    for sign in (1, -1)
    for shift in (-1, 0, 1)
]
OFF = st.one_of(
    st.sampled_from(AROUND),
    st.integers(-4 * MINUTE, 4 * MINUTE),
    st.integers(-30 * DAY, 30 * DAY),
)
LATENCIES = st.lists(st.integers(0, LATENCY - 1), min_size=2, max_size=10)


@settings(max_examples=300)
@given(OFF, LATENCIES)
@example(-61 * SECOND, [LATENCY - 1, 0])
@example(-61 * SECOND, [0, LATENCY - 1])
@example(31 * SECOND, [LATENCY - 1, 0])
@example(30 * SECOND, [LATENCY - 1, 0, LATENCY - 1])
@example(-30 * DAY, [0, LATENCY - 1])
@example(30 * DAY, [LATENCY - 1, 0])
def test_a_wrong_clock_has_one_correction_whatever_the_latencies(
    off: int, latencies: Sequence[int]
) -> None:
    """The same for all: so their order stays, and the time between them."""
    sender = Sender(off)
    corrections = {sender.correction(latency) for latency in latencies}
    assert len(corrections) == 1
    (corrected,) = corrections
    if abs(off) > 90 * SECOND or off > MINUTE:
        assert 0 <= corrected - off < LATENCY
    elif -MINUTE < off <= 30 * SECOND:
        assert corrected == 0
    else:
        assert corrected == 0 or 0 <= corrected - off < LATENCY


@settings(max_examples=300)
@given(OFF, LATENCIES, LATENCIES)
def test_a_clock_that_is_set_right_is_followed(
    off: int, before: Sequence[int], after: Sequence[int]
) -> None:
    sender = Sender(off)
    for latency in before:
        sender.correction(latency)
    sender.off = 0
    assert {sender.correction(latency) for latency in after} == {0}


@settings(max_examples=300)
@given(OFF, OFF, LATENCIES, LATENCIES)
def test_a_clock_that_is_set_wrong_is_followed_to_within_two_minutes(
    off: int, then: int, before: Sequence[int], after: Sequence[int]
) -> None:
    sender = Sender(off)
    for latency in before:
        sender.correction(latency)
    sender.off = then
    for latency in after:
        assert abs(sender.correction(latency) - then) <= 2 * MINUTE + LATENCY


@settings(max_examples=300)
@given(st.integers(3 * MINUTE, 29 * DAY), st.lists(st.integers(0, 2 * MINUTE), min_size=2))
def test_a_clock_that_is_far_off_keeps_the_order_through_longer_latencies(
    off: int, latencies: Sequence[int]
) -> None:
    for sender in (Sender(off), Sender(-off - 2 * MINUTE)):
        assert len({sender.correction(latency) for latency in latencies}) == 1


@pytest.mark.parametrize(
    ("corrected", "expected"),
    [
        (-61 * SECOND, "clock was 1 min ahead"),
        (90 * MINUTE + 1, "clock was 1.5 h behind"),
        (-3 * HOUR - 20 * SECOND, "clock was 3 h ahead"),
        (10 * DAY, "clock was 10 d behind"),
        (35 * SECOND, "clock was 35 s behind"),
    ],
)
def test_as_people_read_it(corrected: int, expected: str) -> None:
    assert told(corrected) == expected
