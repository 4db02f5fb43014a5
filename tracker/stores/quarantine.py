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

Pin = tuple[int, int]
"""A definition's id, and the number of its version that a hit's snippet is pinned to."""


class _Pinned(msgspec.Struct, frozen=True):
    own_definition: int | None
    own_number: int | None

    @property
    def pin(self) -> Pin | None:
        """What the hit's snippet is pinned to, None where no such snippet is known."""
        if self.own_definition is None or self.own_number is None:
            return None
        return self.own_definition, self.own_number


class QuarantinedHit(_Pinned, frozen=True):
    """A rejected hit; `raw` is what came, byte for byte, and need not be JSON.

    version_id, event, slug, hidden and version_number: what it was rejected by.
    """

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
    slug: str | None
    hidden: bool
    version_number: int | None


_JOINED = (
    " FROM quarantine q LEFT JOIN version v ON v.id = q.version_id"
    " LEFT JOIN definition d ON d.id = v.definition_id"
    " LEFT JOIN snippet s ON s.key = q.snippet_key LEFT JOIN version own ON own.id = s.version_id"
)
_PIN = "own.definition_id AS own_definition, own.number AS own_number"
_SELECT = (
    "SELECT q.id, q.partition, q.section_id, q.version_id, q.snippet_key, q.hit_id, q.reason,"
    " q.errors, q.raw, q.sent, q.received_at, q.address, q.agent, q.tag, d.name AS event,"
    " d.slug, d.hidden_at IS NOT NULL AS hidden,"
    f" v.number AS version_number, {_PIN}{_JOINED}"
)


def listed(
    connection: psycopg.Connection,
    reason: str | None = None,
    limit: int = 50,
    section_id: int | None = None,
) -> list[QuarantinedHit]:
    """The newest hits in quarantine, of one reason or all, of one section or all."""
    with connection.cursor(row_factory=class_row(QuarantinedHit)) as cursor:
        query = (
            f"{_SELECT} WHERE (%(reason)s::text IS NULL OR q.reason = %(reason)s)"
            " AND (%(section)s::bigint IS NULL OR q.section_id = %(section)s)"
            " ORDER BY q.id DESC LIMIT %(limit)s"
        )
        values = {"reason": reason, "section": section_id, "limit": limit}
        return cursor.execute(query.encode(), values).fetchall()


def whole(
    connection: psycopg.Connection, section_id: int, version_ids: Sequence[int], limit: int
) -> list[QuarantinedHit]:
    """The newest hits of a section that are in quarantine, of these versions."""
    with connection.cursor(row_factory=class_row(QuarantinedHit)) as cursor:
        query = (
            f"{_SELECT} WHERE q.section_id = %s AND q.version_id = ANY(%s)"
            " ORDER BY q.id DESC LIMIT %s"
        )
        return cursor.execute(query.encode(), (section_id, list(version_ids), limit)).fetchall()


def get(connection: psycopg.Connection, id_: int) -> QuarantinedHit | None:
    """One hit in quarantine."""
    with connection.cursor(row_factory=class_row(QuarantinedHit)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE q.id = %s".encode(), (id_,)).fetchone()


def counts(
    connection: psycopg.Connection, section_id: int | None = None
) -> list[tuple[str, str | None, int]]:
    """How many hits are in quarantine, of one section or all, by reason and event."""
    rows: list[Any] = connection.execute(
        "SELECT q.reason, d.name, count(*) FROM quarantine q"
        " LEFT JOIN version v ON v.id = q.version_id"
        " LEFT JOIN definition d ON d.id = v.definition_id"
        " WHERE %(section)s::bigint IS NULL OR q.section_id = %(section)s"
        " GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
        {"section": section_id},
    ).fetchall()
    return rows


class Summary(_Pinned, frozen=True):
    """What a hit in quarantine is grouped by; raw: None for hits of more than SMALL bytes.

    fields: the first ten that are wrong; hidden: its event is; the rest as QuarantinedHit has it.
    """

    id: int
    reason: str
    version_id: int | None
    event: str | None
    slug: str | None
    version_number: int | None
    hidden: bool
    fields: list[str]
    raw: bytes | None
    received_at: datetime


SMALL = 4_096


def newest_of(connection: psycopg.Connection, section_id: int | None, limit: int) -> list[Summary]:
    """The newest hits of a section, or of none, with what they are grouped by."""
    with connection.cursor(row_factory=class_row(Summary)) as cursor:
        query = (
            "SELECT q.id, q.reason, q.version_id, d.name AS event, d.slug,"
            f" v.number AS version_number, {_PIN},"
            " d.hidden_at IS NOT NULL AS hidden,"
            " jsonb_path_query_array(q.errors, '$[0 to 9].field') AS fields,"
            " CASE WHEN octet_length(q.raw) <= %(small)s THEN q.raw END AS raw, q.received_at"
            f"{_JOINED} WHERE {_in(section_id)} ORDER BY q.id DESC LIMIT %(limit)s"
        )
        values = {"small": SMALL, "section": section_id, "limit": limit}
        return cursor.execute(query.encode(), values).fetchall()


def count_of(connection: psycopg.Connection, section_id: int | None) -> int:
    """How many hits of a section, or of none, are in quarantine."""
    query = f"SELECT count(*) FROM quarantine q WHERE {_in(section_id)}"  # noqa: S608
    return int(connection.execute(query.encode(), {"section": section_id}).fetchall()[0][0])


def of_section(
    connection: psycopg.Connection, section_id: int | None, ids: Sequence[int]
) -> list[int]:
    """Those of these hits that are in quarantine and the section's, or of none; oldest first."""
    query = f"SELECT id FROM quarantine q WHERE {_in(section_id)} AND id = ANY(%(ids)s) ORDER BY id"  # noqa: S608
    values = {"section": section_id, "ids": list(ids)}
    return [id_ for (id_,) in connection.execute(query.encode(), values)]


def _in(section_id: int | None) -> str:
    """Not IS NOT DISTINCT FROM: no index serves that."""
    return "q.section_id IS NULL" if section_id is None else "q.section_id = %(section)s"


class Offered(msgspec.Struct, frozen=True):
    """A version that hits may be replayed against."""

    id: int
    number: int
    usable_from: datetime


def versions(
    connection: psycopg.Connection, definition_ids: Sequence[int]
) -> dict[int, list[Offered]]:
    """All versions of definitions, the newest first."""
    found: dict[int, list[Offered]] = {}
    for definition_id, *version in connection.execute(
        "SELECT definition_id, id, number, usable_from FROM version"
        " WHERE definition_id = ANY(%s) ORDER BY number DESC",
        (list(definition_ids),),
    ):
        found.setdefault(definition_id, []).append(Offered(*version))
    return found


def pins(connection: psycopg.Connection, ids: Sequence[int]) -> dict[int | None, list[int]]:
    """The numbers of the versions that hits' snippets are pinned to, by definition.

    Under None those of hits of which no snippet is known: there are none.
    """
    found: dict[int | None, list[int]] = {}
    rows = connection.execute(
        f"SELECT DISTINCT own.definition_id, own.number {_JOINED} WHERE q.id = ANY(%s)".encode(),
        (list(ids),),
    )
    for definition_id, number in rows:
        found.setdefault(definition_id, []).append(number)
    return found


def matching(
    connection: psycopg.Connection,
    ids: Sequence[int],
    reason: str | None,
    definition_id: int | None = None,
) -> list[int]:
    """The ids in quarantine among `ids` (none: all of them), of one reason or all; oldest first.

    With a definition only those whose snippets are its.
    """
    rows = connection.execute(
        "SELECT id FROM quarantine WHERE (%(many)s = 0 OR id = ANY(%(ids)s))"
        " AND (%(reason)s::text IS NULL OR reason = %(reason)s)"
        " AND (%(definition)s::bigint IS NULL OR snippet_key IN (SELECT s.key FROM snippet s"
        " JOIN version v ON v.id = s.version_id WHERE v.definition_id = %(definition)s))"
        " ORDER BY id",
        {"many": len(ids), "ids": list(ids), "reason": reason, "definition": definition_id},
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
