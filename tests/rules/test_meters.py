"""How fast a total grows."""

import pytest

from tracker.rules.meters import Meter
from tracker.rules.troubles import LONGEST, Trouble, merged, read


def test_over_the_last_minute() -> None:
    meter = Meter()
    rates = [meter.note(second, 10 * second) for second in range(0, 200, 5)]
    assert rates[0] == 0
    assert set(rates[1:]) == {10}
    assert [meter.note(second, 1950) for second in range(200, 256, 5)][-1] == 0


def test_bursts_are_spread_over_the_minute_and_then_forgotten() -> None:
    meter = Meter()
    meter.note(0, 0)
    assert meter.note(30, 600) == 20
    assert meter.note(60, 600) == 10
    assert meter.note(90, 600) == 0


def test_a_total_that_starts_again() -> None:
    meter = Meter()
    meter.note(0, 1000)
    assert meter.note(10, 5) == 0
    assert meter.note(20, 25) == 2


@pytest.mark.parametrize(
    ("fields", "event", "words"),
    [
        (
            {"event": "away", "error": "no\nroute", "retry_in": 2},
            "away",
            "error: no route, retry_in: 2",
        ),
        ({"event": "failed\n  File x\nKeyError: 'a'\n"}, "failed", "KeyError: 'a'"),
        ({"event": "crash", "exc_info": ValueError("bad")}, "crash", "ValueError: bad"),
        ({"event": "crash", "exc_info": True}, "crash", ""),
        ({}, "", ""),
    ],
)
def test_a_line_of_a_log_in_words(fields: dict[str, object], event: str, words: str) -> None:
    found = read({"level": "error", **fields}, 5)
    assert (found.event, found.words, found.at_ms) == (event, words, 5)


def test_words_are_cut() -> None:
    assert len(read({"event": "x" * 999, "y": "z" * 999}, 0).words) == LONGEST


def test_the_same_again_is_counted() -> None:
    one, other = Trouble("error", "a", "", 1), Trouble("error", "b", "", 2)
    again = Trouble("error", "a", "", 3, times=2)
    assert merged([one, again, other, one]) == [Trouble("error", "a", "", 3, 3), other, one]
