"""`pintag quarantine replay`: who runs it, and what it says became of the hits."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from redis import Redis

from tests.cli.test_commands import pintag
from tests.embedded.waiting import until
from tests.worker.cast import Harbour, drain, edited, hit, track
from tests.worker.processes import process
from tracker.rules.fields import FieldType
from tracker.settings import Settings
from tracker.stores import database, jobs, quarantine

Run = Callable[..., str]
__all__ = ["pintag"]
LIST = ("quarantine", "list", "--json")


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


def test_the_list_of_a_section(harbour: Harbour, pintag: Run) -> None:
    _, key = track(harbour.db, harbour.redis, "lake")
    harbour.send(hit(data={}), key=key)
    harbour.send(hit(), key="no-such-key")
    drain(harbour)
    out = pintag("quarantine", "list", "--section", "lake")
    rows = {of: len(json.loads(pintag(*LIST, "--section", of))) for of in ("harbour", "lake")}
    assert (rows, len(json.loads(pintag(*LIST)))) == ({"harbour": 2, "lake": 1}, 4)
    assert "1  invalid_data" in out
    assert "The sections are: harbour, lake" in pintag(*LIST, "--section", "moon", code=2)


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
        assert "1 hit replayed" in out
        assert "1 left alone: another replay has them" in out
        harbour.db.execute("UPDATE definition SET hidden_at = now()")
        assert "2 now dropped (hidden)" in pintag("quarantine", "replay", "--all")
    assert harbour.balanced() == {"dropped": 2}
    now, _, ever = pintag("audit").partition("All that ever came there for a reason")
    assert "  0  quarantined\n" in now
    assert "  2  quarantined as invalid_data\n" in ever


def test_against_a_later_version(harbour: Harbour, pintag: Run) -> None:
    edited(harbour, datetime.now(UTC) + timedelta(minutes=30), reference=FieldType.BOOLEAN)
    replay = ("quarantine", "replay", "--event", "booking", "--version")
    assert "has no version 7" in pintag(*replay, "7", code=2)
    out = pintag(*replay, "2", code=2)
    assert "Version 2 can be used at " in out
    assert "replay hits of earlier versions against it then" in out
    harbour.db.execute("UPDATE version SET usable_from = now() WHERE number = 2")
    assert "will run once one starts" in pintag(*replay, "2", code=2)
    (job,) = (job for job in jobs.current(harbour.redis) if job.name == "replay")
    found = jobs.find(harbour.redis, job.id)
    (version_id,) = harbour.rows("SELECT id FROM version WHERE number = 2")[0]
    assert found is not None
    assert found.arguments == ([1, 2], False, version_id)


def test_hits_whose_event_is_not_known_or_not_one_have_no_later_version(
    harbour: Harbour, pintag: Run
) -> None:
    harbour.send(hit(), key="no-such-key")
    drain(harbour)
    out = pintag("quarantine", "replay", "3", "--version", "2", code=2)
    assert "Hits of no known snippet have no version" in out
    _, key = track(harbour.db, harbour.redis, "lake")
    harbour.send(hit(data={}), key=key)
    drain(harbour)
    out = pintag("quarantine", "replay", "--reason", "invalid_data", "--version", "1", code=2)
    assert "These hits are of several events" in out
    assert "No hit in quarantine matches" in pintag(
        "quarantine", "replay", "3", "--event", "booking", "--section", "lake", code=2
    )


@pytest.mark.parametrize("limit", ["-1", "0", "9" * 30])
def test_so_many_can_not_be_listed(pintag: Run, limit: str) -> None:
    assert "Invalid value for '--limit'" in pintag("quarantine", "list", "--limit", limit, code=2)
