"""Retention: what lived for too long is deleted, nothing else is, and the ledger balances."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.jobs.planting import every, left, plant
from tests.worker.cast import Harbour, drain, hit, track
from tracker.rules.states import EXPIRED
from tracker.stores import database, event_tables, retention
from worker import retention as job

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
DAY, SECOND, MS = timedelta(days=1), timedelta(seconds=1), timedelta(milliseconds=1)


def expire(harbour: Harbour, max_age_days: int = 0, now: datetime = NOW) -> Counter[str]:
    return job.expire(harbour.db, now, max_age_days, lambda done, total: None)


def live_for(harbour: Harbour, days: int | None) -> None:
    harbour.db.execute(
        "UPDATE definition SET ttl_days = %s WHERE id = %s", (days, harbour.booking.id)
    )


@pytest.mark.parametrize(
    ("age", "kept"),
    [(7 * DAY - SECOND, 1), (7 * DAY, 1), (7 * DAY + MS, 0), (7 * DAY + SECOND, 0)],
    ids=str,
)
def test_a_week_to_live(harbour: Harbour, age: timedelta, kept: int) -> None:
    live_for(harbour, 7)
    plant(harbour, NOW - age)
    assert expire(harbour)["events"] == 1 - kept
    assert len(left(harbour)) == kept
    states = Counter(harbour.balanced())
    assert (states["stored"], states[EXPIRED]) == (kept, 1 - kept)


def test_each_definition_has_its_own(harbour: Harbour) -> None:
    quay, _ = track(harbour.db, harbour.redis, "quay")
    pier, _ = track(harbour.db, harbour.redis, "pier")
    live_for(harbour, 2)
    harbour.db.execute("UPDATE definition SET ttl_days = 5 WHERE id = %s", (quay.id,))
    days = [NOW - n * DAY - SECOND for n in range(8)]
    for definition in (harbour.booking, quay, pier):
        plant(harbour, *days, version_id=definition.versions[0].id)
    assert expire(harbour) == {"events": 6 + 3}
    rows = harbour.rows("SELECT version_id, count(*) FROM event GROUP BY 1")
    counts = dict(rows)
    assert [counts[d.versions[0].id] for d in (harbour.booking, quay, pier)] == [2, 5, 8]
    assert harbour.balanced() == {"stored": 15, EXPIRED: 9}


def test_without_a_time_to_live_everything_stays(harbour: Harbour) -> None:
    plant(harbour, NOW - 4000 * DAY)
    assert expire(harbour) == {}
    assert len(left(harbour)) == 1


def test_a_batch_is_bounded_and_one_pass_sees_all(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    live_for(harbour, 1)
    plant(harbour, *every(SECOND, NOW - 3 * DAY, 35), NOW)
    harbour.db.execute(
        "CREATE TABLE tests.batches (hits bigint);"
        "CREATE FUNCTION tests.note_batch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO tests.batches VALUES (NEW.hits - coalesce(OLD.hits, 0)); RETURN NEW; END $$;"
        "CREATE TRIGGER note BEFORE INSERT OR UPDATE ON ledger FOR EACH ROW"
        " WHEN (NEW.to_state = 'expired') EXECUTE FUNCTION tests.note_batch()"
    )
    shown: list[tuple[int, int]] = []
    job.expire(harbour.db, NOW, 0, lambda done, total: shown.append((done, total)))
    assert harbour.rows("SELECT max(hits) FROM tests.batches") == [(10,)]
    assert shown == [(0, 35), (10, 35), (20, 35), (30, 35), (35, 35)]
    assert left(harbour) == [NOW]


def test_whole_weeks_beyond_the_maximum_age_are_dropped(harbour: Harbour) -> None:
    event_tables.ensure(harbour.db, NOW - 30 * DAY)
    monday = datetime(2026, 10, 19, tzinfo=UTC)  # 30 days before NOW it was its first minute
    now = monday + 30 * DAY
    plant(harbour, monday - 8 * DAY, monday - MS, monday, monday + DAY, now)
    assert expire(harbour, 30, now - MS)["events"] == 1
    assert left(harbour) == [monday - MS, monday, monday + DAY, now]
    assert expire(harbour, 30, now) == {"weeks": 1, "events": 1}
    assert expire(harbour, 30, now + 7 * DAY - MS) == {}
    assert left(harbour) == [monday, monday + DAY, now]
    assert harbour.balanced() == {"stored": 3, EXPIRED: 2}
    # The next day's tables are made as ever, and what comes late has its place.
    event_tables.ensure(harbour.db, now)
    plant(harbour, monday - MS)
    assert len(left(harbour)) == 4


def test_older_rows_in_no_weeks_table(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    old = [NOW - 400 * DAY - n * SECOND for n in range(5)]
    plant(harbour, *old, NOW - 300 * DAY)
    assert harbour.rows("SELECT count(*) FROM event_other") == [(6,)]
    assert expire(harbour, 400)["events"] == 4
    assert left(harbour) == [NOW - 400 * DAY, NOW - 300 * DAY]
    assert harbour.balanced() == {"stored": 2, EXPIRED: 4}


def test_a_week_in_use_is_waited_for(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "PAUSE_SECONDS", 0.01)
    event_tables.ensure(harbour.db, NOW - 60 * DAY)
    plant(harbour, NOW - 60 * DAY)
    with database.connect(harbour.settings.database_url) as reader:
        with reader.transaction():
            reader.execute("SELECT count(*) FROM event")
            with pytest.raises(retention.BusyTableError):
                retention.drop_week(harbour.db, "event_2026_w38", retention.FIRST)
            found: list[Counter[str]] = []
            run = threading.Thread(target=lambda: found.append(expire(harbour, 30)))
            run.start()
        run.join(60)
    assert found[0]["events"] == 1
    assert harbour.balanced() == {EXPIRED: 1}


def test_quarantined_hits_have_the_maximum_age_too(harbour: Harbour) -> None:
    harbour.send(*(hit(data={}) for _ in range(3)), hit())
    drain(harbour)
    [_, at, younger] = [id_ for (id_,) in harbour.rows("SELECT id FROM quarantine ORDER BY id")]
    now = datetime.now(UTC)
    harbour.db.execute("UPDATE quarantine SET received_at = %s", (now - 90 * DAY - MS,))
    harbour.db.execute(
        "UPDATE quarantine SET received_at = %s WHERE id = ANY(%s)",
        (now - 90 * DAY, [at, younger]),
    )
    assert expire(harbour, 90, now)["quarantined"] == 1
    assert [id_ for (id_,) in harbour.rows("SELECT id FROM quarantine ORDER BY id")] == [
        at,
        younger,
    ]
    assert harbour.balanced() == {"stored": 1, "quarantined": 2, EXPIRED: 1}


def test_profiles_stay(harbour: Harbour) -> None:
    harbour.send(hit())
    drain(harbour)
    live_for(harbour, 1)
    expire(harbour, now=datetime.now(UTC) + 2 * DAY)
    assert left(harbour) == []
    assert harbour.rows("SELECT keyspace, key FROM identifier JOIN profile p ON p.id = profile_id")
    assert harbour.balanced() == {EXPIRED: 1}


def test_what_else_has_an_end(harbour: Harbour) -> None:
    section_id = harbour.booking.section_id
    [(client,)] = harbour.rows(
        "INSERT INTO api_client (public_id, section_id, name, secret_hash, scopes, keyspaces,"
        " created_at) VALUES ('c', %s, 'c', '', '{}', '{}', now()) RETURNING id",
        section_id,
    )
    for key, age in (("old", 30 * DAY + SECOND), ("new", 30 * DAY)):
        harbour.db.execute(
            "INSERT INTO posting VALUES (%s, %s, '', '{}', %s)", (client, key, NOW - age)
        )
    for name, expires in (("now", NOW), ("later", NOW + SECOND), ("long ago", NOW - 31 * DAY)):
        harbour.db.execute(
            "INSERT INTO export (id, section_id, identifier_id, identifier_ids, made_at,"
            " expires_at) VALUES (%s, %s, 1, '{1}', %s, %s)",
            (name, section_id, NOW, expires),
        )
        harbour.db.execute("INSERT INTO export_part VALUES (%s, 1, '{}')", (name,))
    assert expire(harbour) == {"answers to posts": 1, "exports": 2}
    assert harbour.rows("SELECT key FROM posting") == [("new",)]
    assert harbour.rows("SELECT export_id FROM export_part") == [("later",)]
    assert harbour.rows("SELECT id FROM export ORDER BY id") == [("later",), ("now",)]
