"""What a worker waits for, how long, and what its log says of it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from redis import Redis
from structlog.testing import capture_logs

from tests.collector.test_refusing import full
from tests.embedded.waiting import until
from tests.worker.cast import ANN, Harbour, by_hand, drain, hit, working
from tests.worker.test_replay import broken
from tracker.stores import database, event_locks, identities, quarantine
from tracker.stores.identities import Name
from tracker.stores.queue_server import Queue
from worker import replay as replays
from worker.loop import Upkeep
from worker.steps import STEPS

NOWHERE = "redis://127.0.0.1:1"
FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE UPDATE OF last_id ON hit_partition
    FOR EACH ROW EXECUTE FUNCTION full_disk();
"""


def test_a_database_that_takes_no_batch_is_tried_ever_more_rarely(harbour: Harbour) -> None:
    harbour.send(hit())
    drain(harbour)
    harbour.db.execute(FULL)
    harbour.send(hit())
    with capture_logs() as logged, working(harbour.settings):
        pauses: list[float] = []

        def has_waited() -> bool:
            pauses[:] = [line["retry_in"] for line in logged if line["event"] == "away"]
            return len(pauses) >= 4

        until(has_waited, "it waits four times", 20)
        harbour.db.execute("DROP TRIGGER full_disk ON hit_partition")
        harbour.until_empty(20)
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert harbour.balanced() == {"stored": 2}


def test_a_database_that_is_read_only_is_waited_for(harbour: Harbour) -> None:
    """A standby that was asked by mistake, say, or a service whose disk is full."""
    setting = f"ALTER DATABASE {harbour.db.info.dbname} SET default_transaction_read_only = "
    harbour.send(hit())
    with capture_logs() as logged:
        harbour.db.execute(f"{setting} on".encode())
        try:
            with working(harbour.settings):
                until(lambda: any("read-only" in str(line) for line in logged), "it waits", 10)
                harbour.db.execute(f"{setting} off".encode())
                harbour.until_empty(20)
        finally:
            harbour.db.execute(f"{setting} off".encode())
    assert harbour.balanced() == {"stored": 1}


def crossed(harbour: Harbour, other: psycopg.Connection) -> None:
    """Make a visitor after the crm-id that somebody else makes, and waits for the visitor."""
    harbour.until_one_waits()
    identities.ids(other, {Name(harbour.booking.section_id, "crm-id", "A-1")})


@pytest.mark.parametrize("by", ["batch", "replay"])
def test_a_deadlock_is_tried_again_at_once(
    harbour: Harbour, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "load", lambda: harbour.settings)
    harbour.db.execute("UPDATE section SET trusts_pages = true")
    harbour.send(hit("zoe", claims={"crm-id": "A-1"}), hit(ANN))
    if by == "replay":
        drain(harbour, (*STEPS[:3], broken))
    ids = quarantine.matching(harbour.db, [], None)
    with (
        by_hand(harbour) as hand,
        ThreadPoolExecutor() as threads,
        database.connect(harbour.settings.database_url) as other,
    ):
        with other.transaction():
            other.execute("SET LOCAL deadlock_timeout = '1min'")
            event_locks.share_events(other)
            identities.ids(other, {Name(harbour.booking.section_id, "web", ANN)})
            work = threads.submit(hand.turn if by == "batch" else lambda: replays.replay(ids))
            crossed(harbour, other)
        work.result(30)
    assert harbour.balanced() == {"stored": 2}


def test_what_is_wrong_is_logged_as_it_begins_not_each_second(
    harbour: Harbour, redis: Redis
) -> None:
    upkeep = Upkeep(harbour.db, redis, Queue(redis))
    upkeep.run()
    with capture_logs() as logged:
        for _ in range(2):
            with full(redis):
                upkeep.run()
                upkeep.run()
            upkeep.run()
    assert [line["event"] for line in logged] == ["redis_full"] * 2


def test_a_redis_without_the_hits_keeps_no_hit_waiting(harbour: Harbour) -> None:
    apart = replace(harbour.settings, redis_url=NOWHERE, queue_url=harbour.settings.redis_url)
    with capture_logs() as logged, working(apart):
        for count in (1, 2, 3):
            harbour.send(hit())
            stored = [(count,)]
            until(lambda s=stored: harbour.rows("SELECT count(*) FROM event") == s, "stored", 20)  # type: ignore[misc]
    assert harbour.balanced() == {"stored": 3}
    assert [one["event"] for one in logged if one["log_level"] == "error"] == ["redis_away"]
