"""Redis loses its data, or is another's: noticed, written down, and survived."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from unittest import mock

import psycopg
import pytest
from redis import Redis

from tests.embedded.waiting import until
from tests.worker.cast import Harbour, by_hand, drain, hit, now_ms, working
from tracker.settings import Settings
from tracker.snippets import publishing
from tracker.stores import batches, hit_queue, queue_epochs
from tracker.stores.queue_epochs import ForeignQueueError, settle
from tracker.stores.queue_server import Queue


def losses(harbour: Harbour) -> list[tuple[str, int, int]]:
    rows = harbour.rows("SELECT queue_epoch, partition, counted FROM queue_loss ORDER BY 2")
    return [(epoch, partition, counted) for epoch, partition, counted in rows]


def test_a_worker_goes_on_when_redis_lost_its_data(harbour: Harbour) -> None:
    with working(harbour.settings), working(harbour.settings):
        harbour.send(hit(), hit())
        harbour.send(hit(), to=3)
        harbour.until_empty()
        epoch = queue_epochs.current(harbour.db)[0]
        harbour.redis.flushall()
        harbour.send(hit(), hit(data={}))
        harbour.send(hit(), to=5)
        until(lambda: harbour.audit().states.total() == 6)
    assert losses(harbour) == [(epoch, 0, 2), (epoch, 3, 1)]
    assert harbour.balanced() == {"stored": 5, "quarantined": 1}
    (loss,) = harbour.audit().losses
    assert "Redis lost its data, after 3 hits of it had been read" in loss


def test_hits_of_a_new_epoch_wait_until_it_is_settled(harbour: Harbour) -> None:
    with by_hand(harbour) as hand:
        harbour.send(hit())
        hand.turn()
        harbour.redis.flushall()
        harbour.send(hit(), hit())
        hand.worker.stop()  # no need to wait for the next upkeep
        hand.turn()
        assert harbour.redis.xlen(hit_queue.stream(0)) == 2
        assert hand.upkeep.run()
    drain(harbour)
    assert harbour.balanced() == {"stored": 3}


def test_a_batch_of_an_ended_epoch_is_not_committed(harbour: Harbour) -> None:
    with by_hand(harbour) as late:
        harbour.send(hit())

        def flush(*_: object) -> None:
            harbour.redis.flushall()
            settle(harbour.db, Queue(harbour.redis))

        with mock.patch.object(late.partitions, "note_tries", flush):
            late.turn()
    assert harbour.balanced() == {}


def test_an_epoch_that_begins_while_a_batch_is_committed_counts_it(harbour: Harbour) -> None:
    with by_hand(harbour) as hand, by_hand(harbour) as other, ThreadPoolExecutor() as threads:
        harbour.send(hit(), hit(), hit())
        count = batches.count

        def counting(*arguments: Any) -> None:
            harbour.redis.flushall()
            begun.append(threads.submit(settle, other.connection, other.queue))
            harbour.until_one_waits()
            count(*arguments)

        begun: list[Future[dict[int, str]]] = []
        with mock.patch.object(batches, "count", counting):
            hand.turn()
        assert begun[0].result(30)
    assert [(partition, counted) for _, partition, counted in losses(harbour)] == [(0, 3)]
    assert harbour.balanced() == {"stored": 3}


def test_trimming_spares_another_epoch(harbour: Harbour) -> None:
    epoch = settle(harbour.db, Queue(harbour.redis))[0]
    harbour.redis.flushall()
    harbour.send(hit())
    hit_queue.trim(harbour.redis, epoch, {0: f"{now_ms() + 60_000}-0"})
    assert harbour.redis.xlen(hit_queue.stream(0)) == 1


def test_a_clock_that_went_back_hides_no_hits(harbour: Harbour) -> None:
    with working(harbour.settings):
        harbour.send(hit())
        harbour.until_empty()
        harbour.redis.flushall()
        old = {"k": harbour.key, "s": "0", "h": b"?"}
        harbour.redis.xadd(hit_queue.stream(0), old, id=f"{now_ms() - 3_600_000}-0")  # type: ignore[arg-type]
        until(harbour.quarantined)
        harbour.until_empty()
    assert harbour.balanced() == {"stored": 1, "quarantined": 1}


@pytest.mark.parametrize("restored", [False, True])
def test_anothers_redis_is_refused(harbour: Harbour, restored: bool) -> None:
    if restored:
        settle(harbour.db, Queue(harbour.redis))
    harbour.redis.set(hit_queue.EPOCH_KEY, "0123456789abcdef")
    with pytest.raises(ForeignQueueError, match=r"another installation \(epoch 0123456789abcdef"):
        settle(harbour.db, Queue(harbour.redis))
    harbour.send(hit())
    # As the message says, when the database was restored on purpose:
    harbour.redis.delete(hit_queue.EPOCH_KEY)
    drain(harbour)
    assert harbour.balanced() == {"stored": 1}


def test_a_restored_database_balances_with_the_queue_as_it_is(harbour: Harbour) -> None:
    harbour.send(hit(), hit())
    drain(harbour)
    harbour.send(hit())
    harbour.redis.delete(hit_queue.EPOCH_KEY)
    drain(harbour)
    assert harbour.balanced() == {"stored": 3}


def test_a_crash_while_an_epoch_begins(settings: Settings, db: psycopg.Connection) -> None:
    class Crashed(Exception):  # noqa: N818
        pass

    with Redis.from_url(settings.redis_url, legacy_responses=False) as client:
        for _ in range(2):
            with (
                mock.patch.object(hit_queue, "begin_epoch", side_effect=Crashed),
                pytest.raises(Crashed),
            ):
                settle(db, Queue(client))
        assert settle(db, Queue(client)) == settle(db, Queue(client))
        assert set(settle(db, Queue(client)).values()) == {hit_queue.get_epoch(client)}
        publishing.keep_current(db, client)
    assert db.execute("SELECT count(*) FROM queue_loss").fetchall() == [(0,)]
