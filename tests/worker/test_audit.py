"""The audit finds what is planted, says where and by how much, and never cries wolf."""

import threading

import pytest
from redis import Redis, ResponseError
from redis.exceptions import NoPermissionError

from tests.worker.cast import Harbour, by_hand, drain, hit, working
from tracker.stores import hit_queue


@pytest.fixture
def settled(harbour: Harbour) -> Harbour:
    """Four hits stored, two in quarantine, all over partitions 0 and 1, and three queued in 1."""
    for partition in (0, 1):
        harbour.send(hit(), hit(), hit(data={}), to=partition)
    drain(harbour)
    harbour.send(hit(), hit(), hit(), to=1)
    return harbour


def test_nothing_planted(settled: Harbour) -> None:
    found = settled.audit()
    assert (found.problems, found.losses, found.queued) == ([], [], 3)
    assert found.states == {"stored": 4, "quarantined": 2}


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "DELETE FROM event WHERE id = (SELECT min(id::text)::uuid FROM event)",
            "stored: the ledger says 4, the table has 3 rows: 1 too few",
        ),
        (
            "DELETE FROM quarantine",
            "quarantined: the ledger says 2, the table has 0 rows: 2 too few",
        ),
        (
            "UPDATE hit_partition SET counted = counted + 5, last_id = last_id WHERE number = 7",
            "partition 7: 5 hits were read, 0 have an outcome: 5 too few",
        ),
    ],
)
def test_planted_in_the_database(settled: Harbour, statement: str, problem: str) -> None:
    settled.db.execute(statement.encode())
    assert settled.audit().problems[0] == problem


def test_a_ledger_row_too_high(settled: Harbour) -> None:
    settled.db.execute(
        "UPDATE ledger SET hits = hits + 7 WHERE partition = 1 AND to_state = 'stored'"
    )
    assert settled.audit().problems == [
        "partition 1: 3 hits were read, 10 have an outcome: 7 too many",
        "stored: the ledger says 11, the table has 4 rows: 7 too few",
    ]


def test_entries_that_vanish_from_the_queue(settled: Harbour) -> None:
    name = hit_queue.stream(1)
    entry = settled.redis.xadd(name, {"k": "k", "s": "0", "h": "?"})
    settled.redis.xdel(name, entry)
    lost = "partition 1: Redis took 7 hits, 3 were read and 3 are queued: 1 too few"
    assert settled.audit().problems == [lost]
    settled.redis.xtrim(name, maxlen=1, approximate=False)
    lost = "partition 1: Redis took 7 hits, 3 were read and 1 are queued: 3 too few"
    assert settled.audit().problems == [lost]
    with by_hand(settled) as hand:
        hand.turn()
    lost = "partition 1: Redis took 7 hits, 4 were read and 0 are queued: 3 too few"
    assert settled.audit().problems == [lost]


def test_a_stream_that_is_deleted(settled: Harbour) -> None:
    settled.redis.delete(hit_queue.stream(0))
    lost = "partition 0: Redis took 0 hits, 3 were read and 0 are queued: 3 too many"
    assert settled.audit().problems == [lost]


def test_a_stream_that_can_not_be_asked_is_none_that_is_missing(settled: Harbour) -> None:
    settled.redis.set(hit_queue.stream(0), "no stream")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        settled.audit()


def test_a_redis_that_does_not_tell_the_time(settled: Harbour) -> None:
    user = "ACL", "SETUSER", "timeless"
    settled.redis.execute_command(*user, "on", "nopass", "~*", "+@all", "-time")  # type: ignore[no-untyped-call]
    try:
        url = settled.settings.redis_url
        with (
            Redis.from_url(
                url, legacy_responses=False, username="timeless", password="-"
            ) as client,
            pytest.raises(NoPermissionError),
        ):
            hit_queue.waiting(client, {0: "0-0"})
    finally:
        settled.redis.execute_command("ACL", "DELUSER", "timeless")  # type: ignore[no-untyped-call]


def test_no_false_alarm_under_load(harbour: Harbour) -> None:
    def load() -> None:
        for number in range(500):
            harbour.send(hit(), hit(data={}), hit(None), to=number % 8)

    sender = threading.Thread(target=load)
    audits = 0
    with working(harbour.settings), working(harbour.settings):
        sender.start()
        while sender.is_alive() or harbour.audit().queued:
            assert harbour.audit().problems == []
            audits += 1
        sender.join()
    assert audits > 3
    assert harbour.balanced() == {"stored": 500, "quarantined": 500, "dropped": 500}
