"""How much a worker reads at a time, so that large hits can't exhaust its memory."""

import psycopg
import pytest

from tests.worker.cast import Harbour, by_hand, hit
from tracker.rules.hits import MAX_BODY
from worker import read_size
from worker.loop import Worker
from worker.read_size import READ_BYTES, ReadSize, count_for, next_size


@pytest.mark.parametrize(
    ("most", "partitions", "size", "count"),
    [
        (500, 8, 300, 500),
        (500, 8, 8_000, 500),
        (500, 8, 16_000, 250),
        (500, 8, MAX_BODY, 40),
        (20, 8, MAX_BODY, 20),
        (500, 1, MAX_BODY, 320),
        (500, 256, MAX_BODY, 1),
        (500, 256, 50 * MAX_BODY, 1),
        (0, 0, 0, 1),
    ],
)
def test_the_count(most: int, partitions: int, size: int, count: int) -> None:
    assert count_for(most, partitions, size) == count


@pytest.mark.parametrize(
    ("before", "sizes", "after"),
    [
        (300, [], 300),
        (300, [300, 300], 300),
        (300, [300, 100_300], 50_300),  # up at once
        (100_000, [300], 50_150),  # down by halves
        (301, [300], 300),
    ],
)
def test_the_size_to_expect(before: int, sizes: list[int], after: int) -> None:
    assert next_size(before, sizes) == after


def test_small_hits_are_soon_read_in_full_batches() -> None:
    size = ReadSize()
    assert size.count(500, 8, False) == 40
    for _ in range(4):
        size.learn([300] * 40)
    assert size.count(500, 8, False) == 500
    assert size.count(500, 8, True) == 40


def test_a_read_of_large_hits_is_small(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_size, "READ_BYTES", 8 * 3 * MAX_BODY)
    harbour.send(*(hit(page="p" * 90_000) for _ in range(7)), *(hit() for _ in range(30)))
    stored = []
    with by_hand(harbour) as hand:
        while harbour.audit().queued:
            hand.turn()
            stored.append(harbour.audit().states["stored"])
    assert stored[:2] == [3, 6]
    assert stored[-1] == 37
    assert len(stored) < 10


def test_what_may_have_ended_a_worker_is_read_in_small_portions(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_size, "READ_BYTES", 8 * 3 * MAX_BODY)
    with by_hand(harbour) as hand:
        for _ in range(20):
            hand.worker._read_size.learn([300])
        harbour.db.execute("UPDATE hit_partition SET tries = 1 WHERE number = 5")
        hand.partitions.release(5)
        harbour.db.execute("UPDATE hit_partition SET tries = 1 WHERE number = 5")
        hand.partitions.balance()
        harbour.send(*(hit() for _ in range(10)), to=5)
        hand.turn()
        assert harbour.audit().states["stored"] == 3
        hand.turn()
    assert harbour.balanced() == {"stored": 10}


def test_after_an_absence_of_postgresql_the_first_read_is_small(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came meanwhile may be larger than all before."""
    worker = Worker(harbour.settings)
    counts: list[int] = []

    def turn(*_: object) -> None:
        counts.append(worker._read_size.count(500, 8, False))
        if len(counts) == 2:
            raise psycopg.OperationalError
        if len(counts) == 3:
            worker.stop()
        for _size in range(4):
            worker._read_size.learn([300])

    monkeypatch.setattr(worker, "_turn", turn)
    worker.run()
    assert counts == [40, 500, 40]


def test_the_budget_holds_full_batches_of_usual_hits() -> None:
    assert READ_BYTES >= 500 * 8 * 8_000
