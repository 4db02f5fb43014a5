"""How workers share the partitions, and what becomes of those of one that ended."""

import os
import signal
import subprocess
import threading

import pytest

from tests.collector.test_rolling import notified
from tests.embedded.waiting import until
from tests.worker.cast import Harbour, by_hand, hit, working
from tests.worker.processes import owners, process
from tracker import listening

pytestmark = pytest.mark.slow


def until_shared(harbour: Harbour, *shares: int) -> None:
    until(lambda: sorted(owners(harbour).values()) == sorted(shares), f"{shares} each")


def test_they_are_shared_fairly_and_taken_over(harbour: Harbour) -> None:
    with working(harbour.settings):
        until_shared(harbour, 8)
        with process(harbour, "worker") as killed:
            until_shared(harbour, 4, 4)
            with working(harbour.settings):
                until_shared(harbour, 2, 3, 3)
            until_shared(harbour, 4, 4)
            killed.kill()
        until_shared(harbour, 8)
        for partition in range(8):
            harbour.send(hit(), to=partition)
        harbour.until_empty()
    assert harbour.balanced() == {"stored": 8}


def test_one_that_stops_leaves_all_to_the_others_at_once(harbour: Harbour) -> None:
    with by_hand(harbour) as first, by_hand(harbour) as second:
        first.partitions.balance()
        second.partitions.balance()
        assert len(first.partitions.owned) == len(second.partitions.owned) == 4
        first.partitions.release_all()
        second.partitions.balance()
        assert len(second.partitions.owned) == 8


def test_hits_move_with_their_partitions_under_load(harbour: Harbour) -> None:
    def load() -> None:
        for number in range(400):
            harbour.send(hit(f"visitor-{number % 8}"), hit(data={}), to=number % 8)

    sender = threading.Thread(target=load)
    with working(harbour.settings):
        sender.start()
        for _ in range(2):
            with working(harbour.settings):
                until_shared(harbour, 4, 4)
        sender.join()
        harbour.until_empty()
    assert harbour.balanced() == {"stored": 400, "quarantined": 400}


def test_a_worker_is_replaced_once_the_next_one_is_ready(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load() -> None:
        for number in range(400):
            harbour.send(hit(f"visitor-{number % 8}"), to=number % 8)

    sender = threading.Thread(target=load)
    with notified() as (notices, name):
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        with process(harbour, "worker") as old:
            assert notices.recv(100) == listening.READY
            sender.start()
            with process(harbour, "worker") as new:
                assert notices.recv(100) == listening.READY
                assert stopped(old) == 0
                until_shared(harbour, 8)
                sender.join()
                harbour.until_empty()
                assert stopped(new) == 0
    assert harbour.balanced() == {"stored": 400}


def test_sigterm_under_load_finishes_the_batch(harbour: Harbour) -> None:
    for number in range(3_000):
        harbour.send(hit(f"visitor-{number % 50}"), to=number % 8)
    with process(harbour, "worker") as worker:
        until(lambda: harbour.rows("SELECT FROM event LIMIT 1"), "it works")
        code = stopped(worker)
    assert code == 0
    assert owners(harbour) == {}
    assert harbour.rows("SELECT DISTINCT tries, suspect_id FROM hit_partition") == [(0, None)]
    found = harbour.audit()
    assert found.problems == []
    assert found.states["stored"] + found.queued == 3_000
    with working(harbour.settings):
        harbour.until_empty()
    assert harbour.balanced() == {"stored": 3_000}


def stopped(worker: subprocess.Popen[bytes]) -> int:
    os.kill(worker.pid, signal.SIGTERM)
    return worker.wait(30)
