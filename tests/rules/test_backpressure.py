"""When hits are refused because too many wait, and until when."""

import pytest

from tracker.rules.backpressure import (
    LONGEST,
    SHORTEST,
    Depth,
    Marks,
    fullness,
    retry_after,
    together,
)


@pytest.mark.parametrize(
    ("depth", "marks", "full"),
    [
        (Depth(), Marks(percent=80), 0.0),
        (Depth(memory=40, limit=100), Marks(percent=80), 0.5),
        (Depth(memory=80, limit=100), Marks(percent=80), 1.0),
        (Depth(memory=100, limit=100), Marks(percent=80), 1.25),
        (Depth(memory=100, limit=0), Marks(percent=80), 0.0),
        (Depth(memory=100, limit=100, hits=10**9, seconds=1e9), Marks(), 0.0),
        (Depth(hits=300), Marks(hits=200), 1.5),
        (Depth(seconds=30.0), Marks(seconds=60), 0.5),
        (Depth(hits=1, memory=40, limit=100, seconds=54), Marks(80, 10, 60), 0.9),
    ],
)
def test_the_nearest_mark_counts(depth: Depth, marks: Marks, full: float) -> None:
    assert fullness(depth, marks) == pytest.approx(full)


@pytest.mark.parametrize(
    ("full", "refusing", "wait"),
    [
        (0.0, False, 0),
        (0.999, False, 0),
        (1.0, False, SHORTEST),
        (1.125, False, round((SHORTEST + LONGEST) / 2)),
        (1.25, False, LONGEST),
        (9.0, False, LONGEST),
        (1.0, True, SHORTEST),
        (0.95, True, SHORTEST),
        (0.9, True, SHORTEST),
        (0.899, True, 0),
    ],
)
def test_how_long_senders_wait(full: float, refusing: bool, wait: int) -> None:
    assert retry_after(full, refusing) == wait


def test_of_several_servers_the_fullest_decides() -> None:
    small, large = Depth(3, 80, 100, 2.0), Depth(4, 500, 1000, 1.0)
    unlimited = Depth(1, 10_000, 0, 0.0)
    assert together([large, small, unlimited]) == Depth(8, 80, 100, 2.0)
    assert together([large]) == large
