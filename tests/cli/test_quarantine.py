"""`pintag quarantine replay`: who runs it, and what it says became of the hits."""

from collections.abc import Callable

import psycopg
import pytest
from redis import Redis

from tests.cli.test_commands import pintag
from tests.embedded.waiting import until
from tests.worker.cast import Harbour, drain, hit, track
from tests.worker.processes import process
from tracker.settings import Settings
from tracker.stores import database, jobs, quarantine

Run = Callable[..., str]
__all__ = ["pintag"]


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    """The section Harbour, with two rejected bookings."""
    booking, key = track(db, redis, "harbour")
    harbour = Harbour(settings, db, redis, booking, key)
    harbour.send(hit(data={}), hit(data={}))
    drain(harbour)
    return harbour


def jobs_waiting(harbour: Harbour) -> int:
    return sum(job.name == "replay" for job in jobs.current(harbour.redis))


def test_without_a_jobs_process(harbour: Harbour, pintag: Run) -> None:
    out = pintag("quarantine", "replay", "--all", "--dry-run", code=2)
    assert "no dry run without a jobs process" in out
    assert "python -m worker.jobs" in out
    assert jobs_waiting(harbour) == 0
    out = pintag("quarantine", "replay", "--all", code=2)
    assert "will run once one starts" in out
    assert jobs_waiting(harbour) == 1
    harbour.db.execute("UPDATE definition SET hidden_at = now()")
    with process(harbour, "worker.jobs"):
        until(lambda: harbour.quarantined() == [], "the replay has run")
    assert harbour.balanced() == {"dropped": 2}


def test_what_it_says(harbour: Harbour, pintag: Run) -> None:
    with process(harbour, "worker.jobs"):
        until(lambda: harbour.redis.smembers("rq:workers:pintag"), "it is registered")
        out = pintag("quarantine", "replay", "--all", "--dry-run")
        assert "2 would be quarantined (invalid_data)" in out
        assert "2 hits tried, nothing was changed" in out
        with database.connect(harbour.settings.database_url) as other, other.transaction():
            first, _ = quarantine.matching(other, [], None)
            quarantine.lock(other, [first])
            out = pintag("quarantine", "replay", "--all")
        assert "1 now quarantined (invalid_data)" in out
        assert "1 hits replayed" in out
        assert "1 left alone: another replay has them" in out
        harbour.db.execute("UPDATE definition SET hidden_at = now()")
        assert "2 now dropped (hidden)" in pintag("quarantine", "replay", "--all")
    assert harbour.balanced() == {"dropped": 2}
