"""However often a hit comes, and whoever else works on it, it is stored and counted once."""

import pytest

from tests.worker.cast import Harbour, by_hand, drain, hit, track
from tracker.stores import hit_queue
from tracker.stores.batches import LostPartitionError
from worker.batch import commit
from worker.context import Context
from worker.steps import run


def test_twice_in_one_batch_and_in_two_partitions(harbour: Harbour) -> None:
    one = hit()
    harbour.send(one, one)
    harbour.send(one, to=5)
    with by_hand(harbour) as hand:
        hand.turn()
    assert harbour.balanced() == {"stored": 1, "duplicate": 2}


def test_again_in_a_later_batch(harbour: Harbour) -> None:
    one, bad = hit(), hit(data={})
    with by_hand(harbour) as hand:
        for partition in (0, 0, 3):
            harbour.send(one, bad, {**one, "id": one["id"].upper()}, to=partition)
            hand.turn()
    assert harbour.balanced() == {"stored": 1, "quarantined": 1, "duplicate": 7}


def test_a_rejected_hit_that_is_sent_again_and_again(harbour: Harbour) -> None:
    bad = hit(data={})
    harbour.send(bad, bad, {**bad, "at": -1})
    harbour.send(bad, to=2)
    harbour.send(b"?", b"?")
    drain(harbour)
    # Without an id nobody can tell one from another: both are kept.
    assert harbour.balanced() == {"quarantined": 3, "duplicate": 3}


def test_the_same_id_in_two_sections_is_two_hits(harbour: Harbour) -> None:
    _, elsewhere = track(harbour.db, harbour.redis, "elsewhere")
    one, bad = hit(), hit(data={})
    harbour.send(one, bad)
    harbour.send(one, bad, key=elsewhere)
    drain(harbour)
    assert harbour.balanced() == {"stored": 2, "quarantined": 2}


def test_a_crash_between_commit_and_trim_repeats_nothing(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour.send(hit(), hit(), hit(data={}))
    with monkeypatch.context() as patch, by_hand(harbour) as hand:
        patch.setattr(hit_queue, "trim", lambda *_: None)
        hand.turn()
    assert harbour.redis.xlen(hit_queue.stream(0)) == 3
    assert harbour.balanced() == {"stored": 2, "quarantined": 1}
    harbour.send(hit())
    drain(harbour)
    assert harbour.balanced() == {"stored": 3, "quarantined": 1}
    assert harbour.redis.xlen(hit_queue.stream(0)) == 0


def test_two_workers_that_both_believe_a_partition_is_theirs(harbour: Harbour) -> None:
    with by_hand(harbour) as first, by_hand(harbour) as second:
        second.partitions.owned.update(first.partitions.owned)
        stale = {n: owned.last_id for n, owned in first.partitions.owned.items()}
        harbour.send(hit(), hit())
        harbour.send(hit(), to=1)
        read = hit_queue.read(second.client, stale, 500, 10)
        context = Context(harbour.settings)
        context.refresh(second.connection)
        works = [run(queued, context) for hits in read.values() for queued in hits]
        first.turn()
        with pytest.raises(LostPartitionError):
            commit(second.connection, works, stale, list)
    assert harbour.balanced() == {"stored": 3}


def test_one_stale_partition_rolls_the_whole_batch_back(harbour: Harbour) -> None:
    harbour.send(hit())
    harbour.send(hit(), to=1)
    with by_hand(harbour) as hand:
        harbour.db.execute("UPDATE hit_partition SET last_id = '5-5' WHERE number = 1")
        hand.turn()
        assert sorted(hand.partitions.owned) == [2, 3, 4, 5, 6, 7]
        harbour.db.execute("UPDATE hit_partition SET last_id = '0-0' WHERE number = 1")
        hand.partitions.balance()
        hand.turn()
    assert harbour.balanced() == {"stored": 2}
