"""Retention in PostgreSQL: what is too old is deleted, in bounded batches or a week at a time.

Every transaction counts in the ledger what it deleted, so that the books balance after each.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
from psycopg import sql

from tracker.rules.ids import time_ms
from tracker.rules.outcomes import Outcome
from tracker.rules.retention import FORGOTTEN_DAYS, POSTING_DAYS
from tracker.rules.states import EXPIRED, NO_PARTITION, Move
from tracker.stores import batches, event_locks, event_tables

BATCH = 5_000
FIRST = UUID(int=0)
_MADE = "(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint + clock_ms)"
"""When an event whose sender's clock was wrong was made, in Unix ms; as its index has it."""
_TOO_OLD = (
    f" unnest(%s::bigint[], %s::bigint[]) AS l(version_id, first) WHERE {_MADE} < %s"
    f" AND clock_ms IS NOT NULL AND event.version_id = l.version_id AND {_MADE} < l.first"
)
_LOCK_TIMEOUT = "300ms"
"""How long hits may wait for a drop that waits itself; less than a second, after which PostgreSQL
would look for a deadlock and may end the other side."""


class BusyTableError(Exception):
    """Somebody uses the events just now; try again later."""


def times_to_live(connection: psycopg.Connection) -> dict[int, int]:
    """The days that events are kept, by version id, of definitions that have a time to live."""
    rows = connection.execute(
        "SELECT v.id, d.ttl_days FROM version v JOIN definition d ON d.id = v.definition_id"
        " WHERE d.ttl_days IS NOT NULL"
    )
    return dict(rows.fetchall())


def all_versions(connection: psycopg.Connection) -> list[int]:
    """The ids of all versions of all definitions."""
    return [id_ for (id_,) in connection.execute("SELECT id FROM version")]


def older_events(connection: psycopg.Connection, before: UUID) -> int:
    """How many events have smaller ids."""
    query = "SELECT count(*) FROM event WHERE id < %s"
    return int(connection.execute(query, (before,)).fetchall()[0][0])


def expire_window(
    connection: psycopg.Connection, first_kept: Mapping[int, UUID], after: UUID
) -> tuple[UUID | None, int]:
    """Look at the next 5,000 events after an id, and delete those that lived too long.

    first_kept: by version id, the first id that is kept. Returns the last id that was looked at,
    None at the end, and how many were deleted. Ids of wrong clocks are left to `expire_corrected`.
    """
    before = max(first_kept.values())
    with connection.transaction():
        event_locks.share_events(connection)
        row = connection.execute(
            "SELECT id FROM event WHERE id > %s AND id < %s ORDER BY id LIMIT 1 OFFSET %s",
            (after, before, BATCH - 1),
        ).fetchone()
        last: UUID | None = row[0] if row else None
        deleted = connection.execute(
            "DELETE FROM event e USING unnest(%s::bigint[], %s::uuid[]) AS l(version_id, first)"
            " WHERE e.id > %s AND e.id <= %s AND e.version_id = l.version_id AND e.id < l.first"
            " AND e.clock_ms IS NULL",
            (list(first_kept), list(first_kept.values()), after, last or before),
        ).rowcount
        _count(connection, Outcome.STORED, deleted)
    return last, deleted


def expire_corrected(connection: psycopg.Connection, first_kept: Mapping[int, UUID]) -> int:
    """Delete a batch of events that lived too long by a right clock, whatever their ids say.

    first_kept: by version id, the first id of a right clock that is kept. Returns how many.
    """
    limits = [time_ms(id_) for id_ in first_kept.values()]
    parts = list(first_kept), limits, max(limits)
    with connection.transaction():
        event_locks.share_events(connection)
        found = connection.execute(
            f"SELECT id FROM event, {_TOO_OLD} LIMIT %s".encode(),  # noqa: S608
            (*parts, BATCH),
        ).fetchall()
        deleted = connection.execute(
            f"DELETE FROM event USING {_TOO_OLD} AND id = ANY(%s)".encode(),  # noqa: S608
            (*parts, [id_ for (id_,) in found]),
        ).rowcount
        _count(connection, Outcome.STORED, deleted)
    return deleted


def expire_others(connection: psycopg.Connection, first_kept: UUID) -> int:
    """Delete a batch of older events that are in no week's table; returns how many."""
    statement = (
        "DELETE FROM event_other WHERE (id, section_id) IN (SELECT id, section_id"
        " FROM event_other WHERE id < %s AND clock_ms IS NULL ORDER BY id LIMIT %s)"
    )
    return _expire(connection, Outcome.STORED, statement, first_kept)


def expire_quarantined(connection: psycopg.Connection, before: datetime) -> int:
    """Delete a batch of quarantined hits that were received before; returns how many."""
    statement = (
        "DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine"
        " WHERE received_at < %s ORDER BY id LIMIT %s)"
    )
    return _expire(connection, Outcome.QUARANTINED, statement, before)


def _expire(
    connection: psycopg.Connection, state: Outcome, statement: str, limit: UUID | datetime
) -> int:
    """Delete a batch of what is in a state, and count it, in one transaction."""
    with connection.transaction():
        event_locks.share_events(connection)
        deleted = connection.execute(statement.encode(), (limit, BATCH)).rowcount
        _count(connection, state, deleted)
    return deleted


def old_weeks(connection: psycopg.Connection, oldest_kept: datetime) -> list[str]:
    """The weeks' tables all of whose ids were made before, the oldest first."""
    ends = event_tables.ends(connection)
    old = [name for name, end in ends.items() if end <= oldest_kept]
    return sorted(old, key=ends.__getitem__)


def drop_week(connection: psycopg.Connection, name: str, first_kept: UUID) -> int:
    """Drop a week's table; returns how many events went with it. Raises BusyTableError.

    Events whose senders' clocks were behind may be younger than the week: they stay, in the default
    table. An erasure need not be kept out: the table's lock keeps out all who would change the
    count.
    """
    table = sql.Identifier(name)
    try:
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(_LOCK_TIMEOUT))
            connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(table))
            rows = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
            events = int(rows.fetchall()[0][0]) - _take_younger(connection, table, first_kept)
            _count(connection, Outcome.STORED, events)
            # The last statements: from here to the commit nobody can read or write any event.
            connection.execute(sql.SQL("DROP TABLE {}").format(table))
            connection.execute("INSERT INTO event SELECT * FROM younger")
    except psycopg.errors.LockNotAvailable:
        raise BusyTableError(name) from None
    return events


def _take_younger(connection: psycopg.Connection, table: sql.Identifier, first_kept: UUID) -> int:
    """Copy the events that are younger than their week; returns how many."""
    query = sql.SQL(
        "CREATE TEMPORARY TABLE younger ON COMMIT DROP AS SELECT * FROM {}"
        " WHERE clock_ms IS NOT NULL AND {} >= {}"
    )
    parts = table, sql.SQL(_MADE), sql.Literal(time_ms(first_kept))
    return connection.execute(query.format(*parts)).rowcount


def forget_postings(connection: psycopg.Connection, now: datetime) -> int:
    """Delete a batch of answers to posts that are too old to be asked for again."""
    return connection.execute(
        "DELETE FROM posting WHERE (client_id, key) IN (SELECT client_id, key FROM posting"
        " WHERE made_at < %s LIMIT %s)",
        (now - timedelta(days=POSTING_DAYS), BATCH),
    ).rowcount


def forget_exports(connection: psycopg.Connection, now: datetime) -> int:
    """Delete what exports held that can't be fetched any more; returns how many they were."""
    gone = connection.execute(
        "WITH gone AS (DELETE FROM export_part p USING export e"
        " WHERE e.id = p.export_id AND e.expires_at <= %s RETURNING e.id)"
        " SELECT count(DISTINCT id) FROM gone",
        (now,),
    ).fetchall()[0][0]
    connection.execute(
        "DELETE FROM export WHERE expires_at < %s", (now - timedelta(days=FORGOTTEN_DAYS),)
    )
    return int(gone)


def _count(connection: psycopg.Connection, state: Outcome, hits: int) -> None:
    if hits:
        batches.count(connection, Counter({Move(NO_PARTITION, state, EXPIRED): hits}))
