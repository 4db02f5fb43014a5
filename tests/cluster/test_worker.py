"""The worker on a hit queue over a cluster: one node is lost, and the others go on."""

import os
import signal
import time
from dataclasses import replace

import pytest
from redis import Redis
from structlog.testing import capture_logs

from tests.cluster.conftest import Port
from tests.embedded.waiting import until
from tests.worker.cast import hit, working
from tracker.stores import hit_queue, queue_epochs, queues
from tracker.stores.queue_epochs import ForeignQueueError, settle
from tracker.stores.queue_server import Queue
from worker.loop import Upkeep

FIRST, MIDDLE, LAST = 0, 1, 2


def send(port: Port, *partitions: int, each: int = 5) -> int:
    """Hits to partitions, to all without any named; returns how many."""
    numbers = partitions or range(8)
    for number in numbers:
        port.put(*(hit(f"visitor-{number}") for _ in range(each)), to=number)
    return len(numbers) * each


def stored(port: Port) -> int:
    return int(port.rows("SELECT count(*) FROM event")[0][0])


def until_stored(port: Port, hits: int) -> None:
    until(lambda: stored(port) == hits, f"{hits} hits are stored", 30)


def test_hits_of_all_partitions_are_stored_once(port: Port) -> None:
    with working(port.settings), working(port.settings):
        hits = send(port)
        until_stored(port, hits)
        port.until_empty()
    assert port.balanced() == {"stored": hits}
    epochs = queue_epochs.current(port.db, apart=True)
    assert len(set(epochs.values())) == 8
    for number in range(8):
        with port.nodes.holder(number).client() as client:
            assert client.xlen(hit_queue.stream(number)) == 0
            assert client.get(hit_queue.epoch_key(number)) == epochs[number].encode()


@pytest.mark.slow
def test_a_node_that_is_killed_stops_its_partitions_only(port: Port) -> None:
    lost, there = port.nodes.of(MIDDLE), [*port.nodes.of(FIRST), *port.nodes.of(LAST)]
    with working(port.settings):
        hits = send(port)
        until_stored(port, hits)
        port.nodes.nodes[MIDDLE].kill()
        hits += send(port, *there)
        until_stored(port, hits)
        unchecked = [problem.partition(": its node")[0] for problem in port.audit().problems]
        assert unchecked == [f"partition {number}: can't be checked" for number in lost]
        port.nodes.restart(MIDDLE)
        hits += send(port)
        until_stored(port, hits)
        port.until_empty()
    assert port.balanced() == {"stored": hits}
    assert port.audit().losses == []


@pytest.mark.slow
def test_what_waits_on_a_node_that_is_away_is_stored_when_it_is_back(port: Port) -> None:
    with queues.connect(port.settings, port.redis) as queue:
        settle(port.db, queue)
    hits = send(port)
    port.nodes.nodes[LAST].kill()
    with working(port.settings):
        until_stored(port, hits - 5 * len(port.nodes.of(LAST)))
        port.nodes.restart(LAST)
        until_stored(port, hits)
        port.until_empty()
    assert port.balanced() == {"stored": hits}


def test_a_node_that_comes_back_empty_is_a_loss_of_its_partitions_only(port: Port) -> None:
    lost = port.nodes.of(FIRST)
    with working(port.settings):
        hits = send(port)
        until_stored(port, hits)
        epochs = queue_epochs.current(port.db, apart=True)
        port.nodes.nodes[FIRST].kill()
        port.nodes.nodes[FIRST].empty()
        port.nodes.restart(FIRST)
        hits += send(port)
        until_stored(port, hits)
        port.until_empty()
    assert port.balanced() == {"stored": hits}
    now = queue_epochs.current(port.db, apart=True)
    assert [n for n in range(8) if now[n] != epochs[n]] == lost
    rows = port.rows("SELECT partition, counted FROM queue_loss ORDER BY 1")
    assert rows == [(number, 5) for number in lost]
    (loss,) = port.audit().losses
    numbers = ", ".join(map(str, lost))
    assert f"lost the data of partition {numbers}, after {5 * len(lost)} hits" in loss


@pytest.mark.slow
def test_a_node_loses_its_data_while_a_worker_that_never_met_it_runs(port: Port) -> None:
    with working(port.settings):
        hits = send(port)
        until_stored(port, hits)
    port.nodes.nodes[LAST].kill()
    port.nodes.nodes[LAST].empty()
    with working(port.settings):
        hits += send(port, *port.nodes.of(FIRST))
        until_stored(port, hits)
        port.nodes.restart(LAST)
        hits += send(port)
        until_stored(port, hits)
        port.until_empty()
    assert port.balanced() == {"stored": hits}
    assert port.rows("SELECT partition, counted FROM queue_loss ORDER BY 1") == [
        (number, 5) for number in port.nodes.of(LAST)
    ]


@pytest.mark.slow
def test_a_silent_node_keeps_nobody_waiting_twice(port: Port) -> None:
    silent = port.nodes.nodes[MIDDLE].process
    assert silent
    with working(port.settings):
        hits = send(port)
        until_stored(port, hits)
        os.kill(silent.pid, signal.SIGSTOP)
        try:
            hits += send(port, *port.nodes.of(FIRST))
            until_stored(port, hits)  # somebody waited for it once
            hits += send(port, *port.nodes.of(LAST))
            sent = time.monotonic()
            until_stored(port, hits)
            assert time.monotonic() - sent < 1
        finally:
            os.kill(silent.pid, signal.SIGCONT)
        hits += send(port)
        until_stored(port, hits)
        port.until_empty()
    assert port.balanced() == {"stored": hits}


@pytest.mark.slow
def test_every_node_is_away(port: Port) -> None:
    with working(port.settings):
        hits = send(port)
        until_stored(port, hits)
        for node in port.nodes.nodes:
            node.kill()
        port.nodes.restart(FIRST, MIDDLE, LAST)
        hits += send(port)
        until_stored(port, hits)
        port.until_empty()
    assert port.balanced() == {"stored": hits}


@pytest.mark.slow
def test_a_node_that_was_restored_is_left_alone(port: Port) -> None:
    strange = port.nodes.of(FIRST)[0]
    with queues.connect(port.settings, port.redis) as queue:
        settle(port.db, queue)
        with port.nodes.holder(strange).client() as client:
            client.set(hit_queue.epoch_key(strange), "an-older-one")
        assert sorted(settle(port.db, queue)) == [n for n in range(8) if n != strange]
        with working(port.settings):
            hits = send(port)
            until_stored(port, hits - 5)
            with port.nodes.holder(strange).client() as client:
                client.delete(hit_queue.epoch_key(strange))  # as the worker's log says
            until_stored(port, hits)
            port.until_empty()
    assert port.balanced() == {"stored": hits}


def test_what_is_left_alone_is_logged_when_that_changes(port: Port) -> None:
    with queues.connect(port.settings, port.redis) as queue, capture_logs() as logged:
        upkeep = Upkeep(port.db, port.redis, queue)
        for strange in ((), (1,), (1,), (1, 4), (1, 4), (), (1,)):
            for number in range(8):
                with port.nodes.holder(number).client() as client:
                    epoch = "an-older-one" if number in strange else upkeep.epochs.get(number, "")
                    if epoch:
                        client.set(hit_queue.epoch_key(number), epoch)
                    else:
                        client.delete(hit_queue.epoch_key(number))
            upkeep.run()
    said = [line["error"] for line in logged if line["event"] == "foreign_partitions"]
    found = [error.partition("another hit queue: ")[2].partition(" (")[0] for error in said]
    assert found == ["1", "1, 4", "1"]


def test_another_installations_cluster_is_refused(port: Port) -> None:
    with queues.connect(port.settings, port.redis) as queue:
        settle(port.db, queue)
        port.db.execute("UPDATE hit_partition SET epoch = ''")
        with pytest.raises(ForeignQueueError, match="Check PINTAG_QUEUE_URL and DATABASE_URL"):
            settle(port.db, queue)


def test_a_queue_that_moved_is_not_mistaken_where_it_was(port: Port) -> None:
    before = replace(port.settings, queue_url="")
    with working(before):
        port.send(hit(), hit(), to=3)
        until_stored(port, 2)
    with working(port.settings):
        hits = 2 + send(port)
        until_stored(port, hits)
        port.until_empty()
    assert port.balanced() == {"stored": hits}
    with pytest.raises(ForeignQueueError, match="the database expects none yet"):
        settle(port.db, Queue(port.redis))


def test_a_server_of_the_queues_own(port: Port) -> None:
    """Any server will do, say another database of the same one."""
    moved = replace(port.settings, queue_url=f"{port.settings.redis_url}?db=5")
    with Redis.from_url(moved.queue_url, legacy_responses=False) as client:
        client.flushdb()
        with working(moved):
            replace(port, redis=client).send(hit(), hit(data={}), to=3)
            until(lambda: stored(port) == 1 and port.quarantined(), "they are stored")
            replace(port, settings=moved).until_empty()
        assert hit_queue.get_epoch(client) == queue_epochs.current(port.db)[0]
        assert hit_queue.get_epoch(port.redis) == ""
    assert replace(port, settings=moved).balanced() == {"stored": 1, "quarantined": 1}
