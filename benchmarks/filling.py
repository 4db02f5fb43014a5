"""Fills the event table with millions of events in a minute or two, as if they had been stored.

They are the rows of hits that a worker stored before, over and over, but for ids, times and
identifiers. The ledger has them as posted events, which were never in a queue.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from benchmarks.hits import HITS_PER_VISITOR
from benchmarks.stack import Site
from tracker.rules.outcomes import Outcome
from tracker.rules.states import NO_PARTITION, POSTED, Move
from tracker.stores import batches

WEEKS = 5
"""Each of the last weeks gets as many, this one too, so that the day of the week is no matter."""
_PORTION = 500_000
_SAMPLE = 1_000
_EVENTS_PER_HIT = 25
_IDENTIFIERS = """
WITH made AS (
    INSERT INTO identifier (section_id, keyspace, key)
    SELECT (SELECT section_id FROM sample LIMIT 1), 'web',
        uuidv7(%(start)s + random() * %(length)s - clock_timestamp())
    FROM generate_series(1, %(identifiers)s) RETURNING id, section_id, profile_id),
profiles AS (INSERT INTO profile (id, section_id) SELECT profile_id, section_id FROM made)
SELECT min(id) FROM made
"""
_EVENTS = """
INSERT INTO event ({columns})
SELECT {values} FROM generate_series(0, {last}) g
CROSS JOIN LATERAL (SELECT {start} + g * {step} AS made_at) t
JOIN sample s ON s.number = g % (SELECT count(*) FROM sample)
"""
_COLUMNS = (
    "SELECT attname::text FROM pg_attribute"
    " WHERE attrelid = 'event'::regclass AND attnum > 0 AND NOT attisdropped"
)
_VALUES = {
    # By the server's own clock, so that the time inside the id is the one that is meant.
    "id": "uuidv7(t.made_at - clock_timestamp())",
    "identifier_id": "{first} + floor(random() * {identifiers})::bigint",
    "event_time": "t.made_at",
    "received_at": "t.made_at",
    "sent_at": "t.made_at",
}


def fill(site: Site, events: int) -> None:
    """Add so many events, a quarter as many profiles, and leave PostgreSQL with nothing to do.

    Some hits must have been stored.
    """
    if not events:
        return
    connection = site.database
    connection.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS sample AS"
        " SELECT row_number() OVER () - 1 AS number, e.* FROM event e LIMIT %s",
        (_SAMPLE,),
    )
    connection.execute("ANALYZE sample")
    for start, length, count in _portions(events):
        with connection.transaction():
            # Checking the foreign keys of identifiers would be most of the work.
            connection.execute("SET LOCAL session_replication_role = replica")
            _add(connection, start, length, count)
    connection.execute("VACUUM (ANALYZE) event, identifier, profile")
    connection.execute("CHECKPOINT")


def warm_up(events: int) -> int:
    """How many hits change about each page of the indexes of so many events.

    The first change of a page after a checkpoint writes it whole, which is dear. At full rate there
    are millions of hits between checkpoints.
    """
    return events // _EVENTS_PER_HIT


def some_visitors(site: Site, most: int) -> list[bytes]:
    """Ids of visitors who have a profile, by chance."""
    rows = site.database.execute(
        "SELECT key FROM identifier WHERE keyspace = 'web' ORDER BY random() LIMIT %s", (most,)
    )
    return [key.encode() for (key,) in rows]


def _portions(events: int) -> Iterator[tuple[datetime, timedelta, int]]:
    """From when on, and for how long, how many events are to have been made; in order of time."""
    now = datetime.now(UTC)
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0)
    parts = -(-events // WEEKS // _PORTION)
    for number in range(WEEKS * parts):
        start = monday + timedelta(weeks=number // parts - WEEKS + 1)
        length = (min(start + timedelta(weeks=1), now) - start) / parts
        count = events * (number + 1) // (WEEKS * parts) - events * number // (WEEKS * parts)
        yield start + length * (number % parts), length, count


def _add(connection: psycopg.Connection, start: datetime, length: timedelta, count: int) -> None:
    identifiers = -(-count // HITS_PER_VISITOR)
    made = {"start": start, "length": length, "identifiers": identifiers}
    first = connection.execute(_IDENTIFIERS, made).fetchall()[0][0]
    columns = [name for (name,) in connection.execute(_COLUMNS)]
    parts = {"first": first, "identifiers": identifiers, "start": start, "step": length / count}
    literals = {name: sql.Literal(value) for name, value in parts.items()}
    values = [
        sql.SQL(_VALUES[name]).format(**literals) if name in _VALUES else sql.Identifier("s", name)
        for name in columns
    ]
    statement = sql.SQL(_EVENTS).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(values),
        last=sql.Literal(count - 1),
        **literals,
    )
    added = connection.execute(statement).rowcount
    batches.count(connection, Counter({Move(NO_PARTITION, POSTED, Outcome.STORED): added}))
