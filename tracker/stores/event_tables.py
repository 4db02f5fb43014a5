"""The event table's partitions: one a week, by the time inside the hits' ids."""

from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from tracker.rules.ids import first_of

WEEKS_BACK = 5
"""Ids are up to 30 days old. Those of clocks that were behind may be 60 days old: where there is no
table of their week, they are few enough for the default table, and nothing moves them later."""
WEEKS_AHEAD = 5
"""Ids of clocks that were ahead were made up to 31 days after their receipt. They need their week's
table at once: all events wait while it is made and what came earlier is moved into it."""
OTHER = "event_other"
"""The default table: ids of weeks that have no table."""
_LOCK = 7_361_002


def ensure(connection: psycopg.Connection, now: datetime) -> list[str]:
    """Make the weeks that hits may fall into now or soon; returns the names of new ones.

    Hits with ids outside these weeks are quarantined (`id_time`) long before they get here.
    """
    if not _missing(connection, now):
        return []
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        missing = _missing(connection, now)  # other workers make them, too
        for week in missing:
            _make(connection, week)
    return [_name(week) for week in missing]


def ends(connection: psycopg.Connection) -> dict[str, datetime]:
    """The weeks' tables by name, each with the time before which all of its ids were made."""
    names = sorted(_there(connection) - {OTHER})
    return {
        name: datetime.strptime(f"{name}_1Z", "event_%G_w%V_%u%z") + timedelta(weeks=1)
        for name in names
    }


def _weeks(now: datetime) -> list[datetime]:
    monday = (now - timedelta(days=now.weekday())).astimezone(UTC)
    this_week = monday.replace(hour=0, minute=0, second=0, microsecond=0)
    return [this_week + timedelta(weeks=n) for n in range(-WEEKS_BACK, WEEKS_AHEAD + 1)]


def _name(week: datetime) -> str:
    year, number, _ = week.isocalendar()
    return f"event_{year}_w{number:02}"


def _missing(connection: psycopg.Connection, now: datetime) -> list[datetime]:
    there = _there(connection)
    return [week for week in _weeks(now) if _name(week) not in there]


def _there(connection: psycopg.Connection) -> set[str]:
    # Not to_regclass: it may answer from before other workers' commits.
    rows = connection.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'event'::regclass"
    )
    return {name for (name,) in rows}


def _make(connection: psycopg.Connection, week: datetime) -> None:
    start, end = (
        str(first_of(int(time.timestamp() * 1000))) for time in (week, week + timedelta(weeks=1))
    )
    parts = {"start": sql.Literal(start), "end": sql.Literal(end)}
    for statement in (
        "CREATE TABLE {week} (LIKE event INCLUDING ALL)",
        # What came before its week was made lies in the default table, and would be in the way.
        "LOCK TABLE event_other IN ACCESS EXCLUSIVE MODE",
        "WITH early AS (DELETE FROM event_other WHERE id >= {start} AND id < {end} RETURNING *)"
        " INSERT INTO {week} SELECT * FROM early",
        "ALTER TABLE event ATTACH PARTITION {week} FOR VALUES FROM ({start}) TO ({end})",
    ):
        connection.execute(sql.SQL(statement).format(week=sql.Identifier(_name(week)), **parts))
