"""Nodes are lost, emptied and moved under load: what was acknowledged is stored once."""

import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.cluster.conftest import Port, a_cluster
from tests.cluster.load import Load, under_load
from tests.collector import house as houses
from tests.embedded.waiting import until
from tests.worker.cast import working
from tracker.collector.app import make_app
from tracker.snippets import publishing

pytestmark = pytest.mark.slow

MIDDLE = 1
TAKEN, UNAVAILABLE = 204, 503


@pytest.fixture
def load(port: Port) -> Iterator[Load]:
    with at_work(port) as load:
        yield load


@contextmanager
def at_work(port: Port) -> Iterator[Load]:
    """Load on a collector, with two workers behind it."""
    publishing.keep_current(port.db, port.redis)
    with (
        houses.running(make_app(port.settings, patience=1)) as collector,
        working(port.settings),
        working(port.settings),
        under_load(f"http://127.0.0.1:{collector.port}/v1/{port.key}") as load,
    ):
        load.grows()
        yield load


def assert_nothing_lost(port: Port, load: Load) -> None:
    load.stop()
    port.until_empty()
    stored = Counter(str(id_) for (id_,) in port.rows("SELECT id FROM event"))
    assert not set(load.acknowledged) - set(stored), "acknowledged hits are missing"
    assert set(stored.values()) == {1}
    assert set(load.answers) <= {TAKEN, UNAVAILABLE}
    states = port.balanced()
    assert states["stored"] == len(stored)
    assert set(states) <= {"stored", "duplicate"}


def test_a_node_is_killed_and_comes_back(port: Port, load: Load) -> None:
    others = [*port.nodes.of(0), *port.nodes.of(2)]
    for _ in range(2):
        port.nodes.nodes[MIDDLE].kill()
        load.grows(*others)
        port.nodes.restart(MIDDLE)
        load.grows()
    assert_nothing_lost(port, load)
    assert port.audit().losses == []


def test_a_node_is_paused(port: Port, load: Load) -> None:
    paused = port.nodes.nodes[MIDDLE].process
    assert paused
    paused.send_signal(signal.SIGSTOP)
    try:
        load.grows(*port.nodes.of(0), *port.nodes.of(2), more=100)
    finally:
        paused.send_signal(signal.SIGCONT)
    load.grows()
    assert_nothing_lost(port, load)
    assert port.audit().losses == []


def test_a_node_comes_back_with_another_address(port: Port, load: Load) -> None:
    port.nodes.nodes[MIDDLE].kill()
    port.nodes.nodes[MIDDLE].moves()
    port.nodes.restart(MIDDLE)
    load.grows()
    assert_nothing_lost(port, load)


def test_a_partition_moves_to_another_node_and_back(port: Port, load: Load) -> None:
    number = port.nodes.of(MIDDLE)[0]
    others = [n for n in range(8) if n != number]
    port.nodes.begin_move(number, MIDDLE, 0)
    load.grows(*others)
    port.nodes.end_move(number, MIDDLE, 0)
    load.grows()
    port.nodes.begin_move(number, 0, MIDDLE)
    port.nodes.end_move(number, 0, MIDDLE)
    load.grows()
    assert_nothing_lost(port, load)
    assert port.audit().losses == []


def assert_lost_only(port: Port, load: Load, lost: list[int]) -> None:
    """What is missing was on the partitions whose loss is written down."""
    load.stop()
    port.until_empty()
    port.balanced()
    assert port.rows("SELECT partition FROM queue_loss ORDER BY 1") == [(n,) for n in lost]
    stored = {str(id_) for (id_,) in port.rows("SELECT id FROM event")}
    for number in set(range(8)) - set(lost):
        assert set(load.senders[number].acknowledged) <= stored


def test_a_node_comes_back_empty(port: Port, load: Load) -> None:
    port.nodes.nodes[MIDDLE].kill()
    port.nodes.nodes[MIDDLE].empty()
    load.grows(*port.nodes.of(0))
    port.nodes.restart(MIDDLE)
    load.grows()
    assert_lost_only(port, load, port.nodes.of(MIDDLE))


def test_a_node_is_gone_for_good_and_another_one_gets_its_slots(port: Port) -> None:
    with a_cluster() as nodes:
        own = replace(port, settings=replace(port.settings, queue_url=nodes.url), nodes=nodes)
        with at_work(own) as load:
            nodes.give_up(MIDDLE, 0)
            load.grows()
            assert_lost_only(own, load, nodes.of(MIDDLE))


def test_a_node_that_lost_its_whole_disk_hides_no_other(port: Port) -> None:
    with a_cluster() as nodes:
        own = replace(port, settings=replace(port.settings, queue_url=nodes.url), nodes=nodes)
        with at_work(own) as load:
            nodes.nodes[0].kill()
            shutil.rmtree(nodes.nodes[0].folder)
            nodes.nodes[0].start()
            load.grows(*nodes.of(1), *nodes.of(2), more=100)
            stored = "SELECT count(*) FROM event"
            ((before,),) = own.rows(stored)
            until(lambda: own.rows(stored)[0][0] > before + 100, "workers go on", 20)
