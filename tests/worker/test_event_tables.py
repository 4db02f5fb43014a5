"""The weeks' tables: made ahead, and where hits land."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from tests.worker.cast import Harbour, drain, hit, new_id, now_ms
from tracker.rules.ids import DAY_MS
from tracker.stores import event_tables

MONDAY = datetime(2037, 12, 28, tzinfo=UTC)
AROUND_NEW_YEAR = [
    *(f"event_2037_w{week}" for week in range(48, 54)),
    *(f"event_2038_w0{week}" for week in range(1, 6)),
]


@pytest.mark.parametrize("into_the_week", [timedelta(), timedelta(days=6, hours=23, minutes=59)])
def test_five_weeks_back_and_five_ahead(db: psycopg.Connection, into_the_week: timedelta) -> None:
    assert event_tables.ensure(db, MONDAY + into_the_week) == AROUND_NEW_YEAR
    assert event_tables.ensure(db, MONDAY + into_the_week) == []
    assert event_tables.ensure(db, MONDAY + timedelta(weeks=1)) == ["event_2038_w06"]


def test_hits_land_in_the_weeks_of_their_ids(harbour: Harbour) -> None:
    times = [now_ms() + days * DAY_MS for days in (-29, -15, -8, 0)]
    harbour.send(*(hit(id=new_id(time)) for time in times))
    drain(harbour)
    rows = harbour.rows("SELECT tableoid::regclass::text, id FROM event ORDER BY id")
    weeks = [datetime.fromtimestamp(time / 1000, UTC).isocalendar() for time in times]
    assert [table for table, _ in rows] == [f"event_{w.year}_w{w.week:02}" for w in weeks]


def test_events_that_came_before_their_week_was_made(db: psycopg.Connection) -> None:
    early = UUID(new_id(int(MONDAY.timestamp() * 1000)))
    later = UUID(new_id(int(MONDAY.timestamp() * 1000) + 20 * 7 * DAY_MS))
    for id_ in (early, later):
        db.execute(
            "INSERT INTO event (id, section_id, identifier_id, version_id, event_time,"
            " received_at, data) VALUES (%s, 1, 1, 1, now(), now(), '{}')",
            (id_,),
        )
    event_tables.ensure(db, MONDAY)
    rows = db.execute("SELECT tableoid::regclass::text, id FROM event ORDER BY id").fetchall()
    assert rows == [("event_2037_w53", early), ("event_other", later)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.execute("INSERT INTO event SELECT * FROM event")
