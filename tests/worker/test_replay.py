"""Replay: quarantined hits go through the steps again, with their ids and times."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.worker.cast import BEN, Harbour, drain, edited, hit
from tests.worker.processes import process
from tracker.actions import quarantining
from tracker.rules.fields import FieldType
from tracker.rules.hits import QueuedHit
from tracker.rules.outcomes import Outcome
from tracker.rules.states import DISCARDED
from tracker.stores import database, jobs, quarantine
from worker import replay
from worker.context import Context
from worker.replay import _let_go, replay_batch
from worker.steps import STEPS, Verdict, Work


def broken(work: Work, context: Context) -> Verdict | None:
    raise RuntimeError("a bug that is mended later")


def replayed(
    harbour: Harbour, dry_run: bool = False, version_id: int | None = None
) -> dict[str, int]:
    context = Context(harbour.settings)
    context.refresh(harbour.db)
    ids = quarantine.matching(harbour.db, [], None)
    return dict(replay_batch(harbour.db, context, ids, dry_run, version_id))


def everything(harbour: Harbour) -> list[object]:
    queries = (
        "SELECT * FROM quarantine ORDER BY id",
        "SELECT * FROM ledger ORDER BY 1, 2, 3, 4",
        "SELECT id FROM event ORDER BY id",
        "SELECT * FROM identifier",
    )
    return [harbour.rows(query) for query in queries]


@pytest.fixture
def bitten(harbour: Harbour) -> Harbour:
    """Ten good hits that met a bug, and two bad ones: all are in quarantine."""
    harbour.send(*(hit(data={"reference": f"{n}"}) for n in range(10)), to=6)
    drain(harbour, (*STEPS[:3], broken, *STEPS[3:]))
    harbour.send(hit(BEN, data={}), b"?")
    drain(harbour)
    return harbour


def test_a_dry_run_changes_nothing(bitten: Harbour) -> None:
    before = everything(bitten)
    counts = {"stored": 10, "quarantined (invalid_data)": 1, "quarantined (malformed)": 1}
    assert replayed(bitten, dry_run=True) == counts
    assert everything(bitten) == before


def test_mended_hits_are_stored_with_their_ids_and_times(bitten: Harbour) -> None:
    before = bitten.rows(
        "SELECT hit_id, received_at FROM quarantine WHERE reason = 'internal_error' ORDER BY 1"
    )
    assert replayed(bitten)["stored"] == 10
    assert bitten.rows("SELECT id, received_at FROM event ORDER BY 1") == before
    assert bitten.balanced() == {"stored": 10, "quarantined": 2}
    assert sorted(bitten.quarantined()) == ["invalid_data", "malformed"]
    moved = bitten.rows("SELECT partition, hits FROM ledger WHERE from_state = 'quarantined'")
    assert moved == [(6, 10)]


def test_the_receipt_stays_to_the_millisecond(bitten: Harbour) -> None:
    for ms in (1_795_422_600_001, 1_795_422_600_019, 4_102_444_800_333):
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
        bitten.db.execute("UPDATE quarantine SET received_at = %s", (at,))
        (hits,) = {replay._queued(found).received_ms for found in quarantine.listed(bitten.db)}
        assert hits == ms


def test_hits_that_still_fail_stay_with_their_new_errors(harbour: Harbour) -> None:
    harbour.send(hit(data={"amount": "dear"}), hit(data={}))
    drain(harbour, (broken,))
    assert replayed(harbour) == {"quarantined (invalid_data)": 2}
    rows = quarantine.listed(harbour.db)
    assert [[e["field"] for e in row.errors] for row in rows] == [
        ["reference"],
        ["reference", "amount"],
    ]
    # The bug came before the version was found: now it is known.
    assert {(row.event, row.version_number) for row in rows} == {("Booking", 1)}
    assert harbour.balanced() == {"quarantined": 2}


def test_a_hit_that_was_stored_meanwhile_is_a_duplicate(bitten: Harbour) -> None:
    rows = bitten.rows("SELECT convert_from(raw, 'UTF8') FROM quarantine WHERE partition = 6")
    bitten.db.execute("UPDATE quarantine SET hit_id = NULL")  # so that they are taken again
    bitten.send(*(raw.encode() for (raw,) in rows), to=6)
    drain(bitten)
    assert replayed(bitten)["duplicate"] == 10
    assert bitten.balanced() == {"stored": 10, "duplicate": 10, "quarantined": 2}


def test_hits_of_a_definition_hidden_meanwhile_are_dropped(bitten: Harbour) -> None:
    bitten.db.execute("UPDATE definition SET hidden_at = now()")
    assert replayed(bitten) == {"dropped (hidden)": 12}
    assert bitten.balanced() == {"dropped": 12}


@pytest.fixture
def dear(harbour: Harbour) -> int:
    """Two bookings whose amounts are words, and one without reference; version 2 takes words."""
    harbour.send(*(hit(data={"reference": "B-1", "amount": text}) for text in ("dear", "much")))
    harbour.send(hit(data={"amount": "most"}))
    drain(harbour)
    return edited(harbour, datetime.now(UTC), amount=FieldType.TEXT).versions[0].id


def test_against_a_later_version_events_are_of_that(harbour: Harbour, dear: int) -> None:
    before = everything(harbour)
    counts = {"stored": 2, "quarantined (invalid_data)": 1}
    assert replayed(harbour) == {"quarantined (invalid_data)": 3}
    assert replayed(harbour, dry_run=True, version_id=dear) == counts
    assert everything(harbour) == before
    assert replayed(harbour, version_id=dear) == counts
    rows = harbour.rows("SELECT version_id, data ->> 'amount' FROM event ORDER BY 2")
    assert rows == [(dear, "dear"), (dear, "much")]
    assert harbour.balanced() == {"stored": 2, "quarantined": 1}
    shown = harbour.rows("SELECT version_id, outcome, sum(hits)::int FROM hit_count GROUP BY 1, 2")
    assert sorted(one for one in shown if one[2]) == [(dear, "quarantined", 1), (dear, "stored", 2)]


def test_what_stays_says_why_by_the_version_it_was_tried_against(
    harbour: Harbour, dear: int
) -> None:
    replayed(harbour, version_id=dear)
    (kept,) = quarantine.listed(harbour.db)
    assert [error["field"] for error in kept.errors] == ["reference"]
    assert (kept.version_number, kept.pin) == (2, (harbour.booking.id, 1))
    assert replayed(harbour) == {"quarantined (invalid_data)": 1}
    (kept,) = quarantine.listed(harbour.db)
    assert (kept.version_number, len(kept.errors)) == (1, 2)


def test_a_later_version_of_a_hidden_definition(harbour: Harbour, dear: int) -> None:
    harbour.db.execute("UPDATE definition SET hidden_at = now()")
    assert replayed(harbour, version_id=dear) == {"dropped (hidden)": 3}
    assert harbour.balanced() == {"dropped": 3}


def test_what_postgresql_refuses_stays(bitten: Harbour) -> None:
    bitten.db.execute("ALTER TABLE event ADD CHECK (data ->> 'reference' <> '3')")
    counts = replayed(bitten)
    assert (counts["stored"], counts["quarantined (internal_error)"]) == (9, 1)
    assert bitten.balanced() == {"stored": 9, "quarantined": 3}


def test_hits_that_another_replay_has_are_left_to_it(bitten: Harbour) -> None:
    with bitten.db.transaction():
        assert len(quarantine.lock(bitten.db, quarantine.matching(bitten.db, [], None))) == 12
        with database.connect(bitten.settings.database_url) as other:
            context = Context(bitten.settings)
            context.refresh(other)
            ids = quarantine.matching(other, [], None)
            assert replay_batch(other, context, ids, False) == {}


def test_discarding(bitten: Harbour) -> None:
    ids = quarantine.matching(bitten.db, [], "internal_error")
    assert quarantining.discard(bitten.db, ids) == 10
    assert bitten.balanced() == {DISCARDED: 10, "quarantined": 2}


def test_as_a_job(bitten: Harbour) -> None:
    ids = quarantine.matching(bitten.db, [], None)
    shown: list[tuple[str, tuple[int, ...]]] = []
    with process(bitten, "worker.jobs"):
        job = jobs.enqueue(bitten.redis, jobs.REPLAY, ids)
        counts = jobs.wait(job, lambda state, done: shown.append((state, tuple(done))))
        wrong = jobs.enqueue(bitten.redis, jobs.REPLAY, ["no id"])
        with pytest.raises(jobs.JobFailedError, match=r'invalid input.*"no id"$'):
            jobs.wait(wrong, lambda *_: None)
    assert counts == {"stored": 10, "quarantined (invalid_data)": 1, "quarantined (malformed)": 1}
    assert shown[-1] == ("finished", (12, 12))
    assert sorted(bitten.references()) == [f"{n}" for n in range(10)]
    assert bitten.balanced() == {"stored": 10, "quarantined": 2}


def test_waiting_for_a_job_that_is_gone(harbour: Harbour) -> None:
    job = jobs.enqueue(harbour.redis, jobs.REPLAY, [])
    harbour.redis.flushall()
    with pytest.raises(jobs.JobFailedError, match="does not have the job any more"):
        jobs.wait(job, lambda *_: None)


def test_what_others_store_meanwhile_is_tried_again_but_not_for_ever(harbour: Harbour) -> None:
    work = Work(QueuedHit(0, "1-0", "key", 0, b"{}"), 1)

    def write(connection: psycopg.Connection, works: list[Work]) -> list[Outcome]:
        raise psycopg.errors.UniqueViolation("somebody else was faster")

    _let_go(harbour.db, [work], write)
    assert work.outcome is Outcome.QUARANTINED
