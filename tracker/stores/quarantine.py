"""The quarantine: rejected hits, whole, with every reason, field and version, in PostgreSQL."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from tracker.rules.errors import FieldError
from tracker.rules.outcomes import Outcome, Reason
from tracker.rules.states import DISCARDED, Move
from tracker.stores.catalog import PinnedVersion


class QuarantinedHit(msgspec.Struct, frozen=True):
    """A rejected hit; `raw` is what came, byte for byte, and need not be JSON."""

    id: int
    partition: int
    section_id: int | None
    version_id: int | None
    snippet_key: str
    hit_id: UUID | None
    reason: str
    errors: list[dict[str, str]]
    raw: bytes
    sent: int
    received_at: datetime
    address: str | None
    agent: str | None
    tag: str | None
    event: str | None
    version_number: int | None


_SELECT = (
    "SELECT q.id, q.partition, q.section_id, q.version_id, q.snippet_key, q.hit_id, q.reason,"
    " q.errors, q.raw, q.sent, q.received_at, q.address, q.agent, q.tag, d.name AS event,"
    " v.number AS version_number"
    " FROM quarantine q LEFT JOIN version v ON v.id = q.version_id"
    " LEFT JOIN definition d ON d.id = v.definition_id"
)


def listed(
    connection: psycopg.Connection, reason: str | None = None, limit: int = 50
) -> list[QuarantinedHit]:
    """The newest hits in quarantine, of one reason or all."""
    with connection.cursor(row_factory=class_row(QuarantinedHit)) as cursor:
        query = f"{_SELECT} WHERE %s::text IS NULL OR q.reason = %s ORDER BY q.id DESC LIMIT %s"
        return cursor.execute(query.encode(), (reason, reason, limit)).fetchall()


def get(connection: psycopg.Connection, id_: int) -> QuarantinedHit | None:
    """One hit in quarantine."""
    with connection.cursor(row_factory=class_row(QuarantinedHit)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE q.id = %s".encode(), (id_,)).fetchone()


def counts(connection: psycopg.Connection) -> list[tuple[str, str | None, int]]:
    """How many hits are in quarantine, by reason and event."""
    rows: list[Any] = connection.execute(
        "SELECT q.reason, d.name, count(*) FROM quarantine q"
        " LEFT JOIN version v ON v.id = q.version_id"
        " LEFT JOIN definition d ON d.id = v.definition_id GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    ).fetchall()
    return rows


class Summary(msgspec.Struct, frozen=True):
    """What a hit in quarantine is grouped by; raw: None for hits of more than SMALL bytes.

    fields: the first ten that are wrong; hidden: its event is.
    """

    id: int
    reason: str
    version_id: int | None
    event: str | None
    version_number: int | None
    hidden: bool
    fields: list[str]
    raw: bytes | None
    received_at: datetime


SMALL = 4_096


def newest_of(connection: psycopg.Connection, section_id: int, limit: int) -> list[Summary]:
    """The newest hits of a section, with what they are grouped by."""
    with connection.cursor(row_factory=class_row(Summary)) as cursor:
        return cursor.execute(
            "SELECT q.id, q.reason, q.version_id, d.name AS event, v.number AS version_number,"
            " d.hidden_at IS NOT NULL AS hidden,"
            " jsonb_path_query_array(q.errors, '$[0 to 9].field') AS fields,"
            " CASE WHEN octet_length(q.raw) <= %(small)s THEN q.raw END AS raw, q.received_at"
            " FROM quarantine q LEFT JOIN version v ON v.id = q.version_id"
            " LEFT JOIN definition d ON d.id = v.definition_id"
            " WHERE q.section_id = %(section)s ORDER BY q.id DESC LIMIT %(limit)s",
            {"small": SMALL, "section": section_id, "limit": limit},
        ).fetchall()


def count_of(connection: psycopg.Connection, section_id: int) -> int:
    """How many hits of a section are in quarantine."""
    query = "SELECT count(*) FROM quarantine WHERE section_id = %s"
    return int(connection.execute(query, (section_id,)).fetchall()[0][0])


def of_section(connection: psycopg.Connection, section_id: int, ids: Sequence[int]) -> list[int]:
    """Those of these hits that are in quarantine and the section's; oldest first."""
    rows = connection.execute(
        "SELECT id FROM quarantine WHERE section_id = %s AND id = ANY(%s) ORDER BY id",
        (section_id, list(ids)),
    )
    return [id_ for (id_,) in rows]


def matching(connection: psycopg.Connection, ids: Sequence[int], reason: str | None) -> list[int]:
    """The ids in quarantine among `ids` (none: all of them), of one reason or all; oldest first."""
    rows = connection.execute(
        "SELECT id FROM quarantine WHERE (%s = 0 OR id = ANY(%s))"
        " AND (%s::text IS NULL OR reason = %s) ORDER BY id",
        (len(ids), list(ids), reason, reason),
    )
    return [id_ for (id_,) in rows]


def lock(connection: psycopg.Connection, ids: Sequence[int]) -> list[QuarantinedHit]:
    """These hits, locked until the transaction ends; those that another replay has are left out."""
    with connection.cursor(row_factory=class_row(QuarantinedHit)) as cursor:
        query = f"{_SELECT} WHERE q.id = ANY(%s) ORDER BY q.id FOR UPDATE OF q SKIP LOCKED"
        return cursor.execute(query.encode(), (list(ids),)).fetchall()


def remove(connection: psycopg.Connection, ids: Sequence[int]) -> int:
    """Take hits out of the quarantine, once something else became of them; returns how many."""
    return connection.execute("DELETE FROM quarantine WHERE id = ANY(%s)", (list(ids),)).rowcount


def keep(
    connection: psycopg.Connection,
    id_: int,
    pinned: PinnedVersion | None,
    reason: Reason,
    errors: Sequence[FieldError],
) -> None:
    """Write down why a replayed hit stays, and the version that it was held against."""
    connection.execute(
        "UPDATE quarantine SET section_id = coalesce(%s, section_id),"
        " version_id = coalesce(%s, version_id), reason = %s, errors = %s WHERE id = %s",
        (
            pinned.section_id if pinned else None,
            pinned.version_id if pinned else None,
            reason,
            Jsonb(msgspec.to_builtins(list(errors))),
            id_,
        ),
    )


def discard(connection: psycopg.Connection, ids: Sequence[int]) -> Counter[Move]:
    """Delete hits for good; returns the moves that the ledger must count."""
    rows = connection.execute(
        # In one order, so that two who discard the same hits don't wait for each other.
        "WITH found AS (SELECT id FROM quarantine WHERE id = ANY(%s) ORDER BY id FOR UPDATE)"
        " DELETE FROM quarantine USING found WHERE quarantine.id = found.id RETURNING partition",
        (list(ids),),
    )
    moves = (Move(number, Outcome.QUARANTINED, DISCARDED) for (number,) in rows)
    return Counter(moves)
