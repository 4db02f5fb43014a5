"""How long a worker waits for more hits before its next read."""

import pytest

from worker.pace import SECONDS, Pace

NOW = 1_000.0


@pytest.mark.parametrize(
    ("read", "wait"),
    [
        ([], 0),  # it waited for a hit in Redis, and may go on with that
        ([[1]], SECONDS),
        ([[1, 2], [1]], SECONDS),
        ([[1, 2, 3], [1]], 0),  # there may be more of the first partition
    ],
)
def test_a_read_lets_the_next_one_wait_unless_more_is_queued(
    read: list[list[int]], wait: float
) -> None:
    pace = Pace()
    assert pace.patience(NOW) == 0
    pace.note(NOW, read, 3)
    assert pace.patience(NOW) == pytest.approx(wait)


def test_a_turn_that_took_long_waits_for_nothing() -> None:
    pace = Pace()
    pace.note(NOW, [[1]], 3)
    assert pace.patience(NOW + 0.02) == pytest.approx(SECONDS - 0.02)
    assert pace.patience(NOW + 3) == 0
