"""Hits that are no events: quarantined and held ones, read a chunk at a time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import class_row

from tracker.rules.outcomes import Outcome

CHUNK = 100
"""A hit has up to 100 kB, and a chunk is in memory as a whole."""
STATES = (Outcome.QUARANTINED, Outcome.HELD)


class KeptHit(msgspec.Struct, frozen=True):
    """A hit as it came, and why it is kept: `reason` and `errors`, or until `due_at`."""

    id: int
    hit_id: UUID | None
    event: str | None
    version_number: int | None
    snippet_key: str
    received_at: datetime
    address: str | None
    agent: str | None
    raw: bytes
    reason: str | None
    errors: list[dict[str, Any]]
    due_at: datetime | None


_SELECT = (
    "SELECT k.id, k.hit_id, d.name AS event, v.number AS version_number, k.snippet_key,"
    " k.received_at, k.address, k.agent, k.raw, {} FROM {} k"
    " LEFT JOIN version v ON v.id = k.version_id LEFT JOIN definition d ON d.id = v.definition_id"
    # One of an unknown snippet has no section, and may be of any.
    " WHERE k.id > %s AND (k.section_id = %s OR k.section_id IS NULL) ORDER BY k.id LIMIT %s"
)
_QUERIES = {
    Outcome.QUARANTINED: _SELECT.format("k.reason, k.errors, NULL AS due_at", "quarantine"),
    Outcome.HELD: _SELECT.format("NULL AS reason, '[]'::jsonb AS errors, k.due_at", "held"),
}
_TABLES = {Outcome.QUARANTINED: "quarantine", Outcome.HELD: "held"}


def count(connection: psycopg.Connection, state: Outcome, section_id: int) -> int:
    """How many hits `chunks` would give."""
    query = f"SELECT count(*) FROM {_TABLES[state]} WHERE section_id = %s OR section_id IS NULL"  # noqa: S608
    return int(connection.execute(query.encode(), (section_id,)).fetchall()[0][0])


def chunks(
    connection: psycopg.Connection, state: Outcome, section_id: int
) -> Iterator[list[KeptHit]]:
    """A section's hits in this state, with those of no section, a hundred at a time."""
    last = 0
    with connection.cursor(row_factory=class_row(KeptHit)) as cursor:
        while hits := cursor.execute(
            _QUERIES[state].encode(), (last, section_id, CHUNK)
        ).fetchall():
            yield hits
            last = hits[-1].id


def remove(connection: psycopg.Connection, state: Outcome, ids: Sequence[int]) -> int:
    """Delete hits; returns how many were still there. The caller counts them in the ledger."""
    query = f"DELETE FROM {_TABLES[state]} WHERE id = ANY(%s)"  # noqa: S608
    return connection.execute(query.encode(), (list(ids),)).rowcount
