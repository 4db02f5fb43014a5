"""Held hits, parked in PostgreSQL until their version can be used; ids are in order of arrival."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import psycopg

from tracker.rules.hits import QueuedHit, Sender
from tracker.rules.outcomes import Outcome, outcomes_of
from tracker.rules.states import Ended

CHANNEL = "pintag_held"
"""Where workers hear of hits that another process held: they ask for due times only then."""


class HeldRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A hit on its way to be held until `due_at`; `raw` is written as base64."""

    partition: int
    section_id: int
    version_id: int
    snippet_key: str
    raw: bytes
    sent: int
    received_ms: int
    due_at: datetime
    hit_id: UUID | None = None
    address: str | None = None
    agent: str | None = None
    tag: str | None = None


def add(connection: psycopg.Connection, rows: Sequence[HeldRow]) -> list[Outcome]:
    """Hold hits; returns what became of each: one that is held already is a duplicate."""
    if not rows:
        return []
    new = connection.execute(
        "INSERT INTO held (partition, section_id, version_id, snippet_key, hit_id,"
        " raw, sent, received_at, due_at, address, agent, tag)"
        " SELECT partition, section_id, version_id, snippet_key, hit_id, decode(raw, 'base64'),"
        " sent, to_timestamp(received_ms / 1000) + mod(received_ms, 1000) * interval '1 ms',"
        " due_at, address, agent, tag"
        " FROM jsonb_to_recordset(%s::jsonb) AS h(partition int, section_id int,"
        " version_id bigint, snippet_key text, hit_id uuid, raw text, sent bigint,"
        " received_ms bigint, due_at timestamptz, address text, agent text, tag text)"
        " ON CONFLICT DO NOTHING RETURNING section_id, hit_id",
        (msgspec.json.encode(rows).decode(),),
    )
    return outcomes_of(
        [(row.section_id, row.hit_id) for row in rows], set(new.fetchall()), Outcome.HELD
    )


def announce(connection: psycopg.Connection) -> None:
    """Tell the workers that hits were held by somebody else, once the transaction is committed."""
    connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))


def listen(connection: psycopg.Connection) -> None:
    """Hear announcements on this connection."""
    connection.execute(f"LISTEN {CHANNEL}".encode())


def next_due(
    connection: psycopg.Connection, numbers: Sequence[int], after: datetime | None = None
) -> dict[int, datetime]:
    """When the next held hits of these partitions are due, or the next ones after a time."""
    rows = connection.execute(
        "SELECT number, (SELECT min(due_at) FROM held WHERE partition = number"
        " AND due_at > coalesce(%s, '-infinity'::timestamptz)) FROM unnest(%s::int[]) number",
        (after, list(numbers)),
    )
    return {number: due_at for number, due_at in rows if due_at is not None}


def first_due(connection: psycopg.Connection) -> datetime | None:
    """When the next held hit of all is due; None where none is held."""
    row = connection.execute(
        "SELECT min(due) FROM (SELECT (SELECT min(due_at) FROM held WHERE partition = number) due"
        " FROM hit_partition) d"
    ).fetchone()
    return row[0] if row else None


def due(connection: psycopg.Connection, number: int, now: datetime) -> list[int]:
    """The ids of a partition's hits that are due, in order of arrival."""
    rows = connection.execute(
        "SELECT id FROM held WHERE partition = %s AND due_at <= %s ORDER BY id", (number, now)
    )
    return [id_ for (id_,) in rows]


def read(connection: psycopg.Connection, ids: Sequence[int]) -> list[QueuedHit]:
    """These hits, in order of arrival, as they came; those that are gone are left out."""
    rows = connection.execute(
        "SELECT partition, (extract(epoch FROM received_at) * 1000)::bigint || '-0', snippet_key,"
        " sent, raw, id, address, coalesce(agent, ''), coalesce(tag, '')"
        " FROM held WHERE id = ANY(%s) ORDER BY id",
        (list(ids),),
    )
    return [
        QueuedHit(number, stream_id, key, sent, raw, id_, Sender(address, agent, tag, kept=True))
        for number, stream_id, key, sent, raw, id_, address, agent, tag in rows
    ]


def remove(connection: psycopg.Connection, ids: Sequence[int]) -> Counter[Ended]:
    """Take hits out, once something else becomes of them; returns what they counted as.

    Their partitions have made progress then: what was noted against their hits is forgotten.
    """
    if not ids:
        return Counter()
    rows = connection.execute(
        "WITH gone AS (DELETE FROM held WHERE id = ANY(%s) RETURNING partition, version_id,"
        " floor(extract(epoch FROM received_at) / 86400)::int AS day),"
        " forgiven AS (UPDATE hit_partition SET tries = 0, suspect_id = NULL"
        " WHERE number IN (SELECT partition FROM gone))"
        " SELECT partition, version_id, day, count(*) FROM gone GROUP BY 1, 2, 3",
        (list(ids),),
    )
    return Counter(
        {
            Ended(number, version_id, day, Outcome.HELD): hits
            for number, version_id, day, hits in rows
        }
    )
