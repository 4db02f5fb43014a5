"""Counts of hits by version, day of receipt (UTC) and what became of them, for charts.

The ledger proves that no hit is lost; these show people how it went. A hit that moves on, such as
a held one that is stored, moves here too; one that is deleted later stays as what it was.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import msgspec
import psycopg
from psycopg.rows import class_row

from tracker.rules.states import NO_PARTITION, Ended

KEPT_DAYS = 400
"""Thirteen months: a year can be compared with the one before."""
_EPOCH = date(1970, 1, 1)


class DayCount(msgspec.Struct, frozen=True):
    """Hits of a version that were received on a day and came to the same."""

    version_id: int
    day: date
    outcome: str
    reason: str
    hits: int


def add(connection: psycopg.Connection, ends: Mapping[Ended, int]) -> None:
    """Add to the counts, or take away; hits of no version are only in the ledger.

    In one order always, so that two who count at once never wait for each other in a circle.
    """
    rows = [
        {
            "v": end.version_id,
            "d": _EPOCH + timedelta(days=end.day),
            "o": end.state,
            "r": end.reason,
            "p": end.partition,
            "n": hits,
        }
        for end, hits in sorted(ends.items(), key=lambda item: (item[0].version_id or 0, item[0]))
        if hits and end.version_id is not None
    ]
    if rows:
        connection.execute(
            "INSERT INTO hit_count (version_id, day, outcome, reason, partition, hits)"
            " SELECT * FROM jsonb_to_recordset(%s::jsonb)"
            " AS c(v bigint, d date, o text, r text, p int, n bigint)"
            " ON CONFLICT (version_id, day, outcome, reason, partition)"
            " DO UPDATE SET hits = hit_count.hits + excluded.hits",
            (msgspec.json.encode(rows).decode(),),
        )


def by_day(
    connection: psycopg.Connection, version_ids: Sequence[int], since: date
) -> list[DayCount]:
    """The counts of these versions from a day on, in the order of days; none are left out as 0."""
    with connection.cursor(row_factory=class_row(DayCount)) as cursor:
        return cursor.execute(
            "SELECT version_id, day, outcome, reason, sum(hits)::bigint AS hits FROM hit_count"
            " WHERE version_id = ANY(%s) AND day >= %s GROUP BY 1, 2, 3, 4 HAVING sum(hits) <> 0"
            " ORDER BY 2, 1, 3, 4",
            (list(version_ids), since),
        ).fetchall()


def stored_by_day(
    connection: psycopg.Connection, definition_ids: Sequence[int], since: date
) -> dict[int, dict[date, int]]:
    """How many hits of each definition, all versions together, were stored on each day."""
    found: dict[int, dict[date, int]] = {id_: {} for id_ in definition_ids}
    # Versions by an array: of a join, PostgreSQL would expect most of the table, and read all.
    rows = connection.execute(
        "WITH c AS (SELECT version_id, day, sum(hits) AS hits FROM hit_count"
        " WHERE version_id = ANY(ARRAY(SELECT id FROM version WHERE definition_id = ANY(%s)))"
        " AND day >= %s AND outcome = 'stored' GROUP BY 1, 2)"
        " SELECT v.definition_id, c.day, sum(c.hits)::bigint FROM c"
        " JOIN version v ON v.id = c.version_id GROUP BY 1, 2",
        (list(definition_ids), since),
    )
    for definition_id, day, hits in rows:
        found[definition_id][day] = hits
    return found


def fold(connection: psycopg.Connection, today: date) -> int:
    """Make one row of the partitions' rows of days that are over, and forget the oldest days.

    Returns how many rows that took away.
    """
    with connection.transaction():
        forgotten = connection.execute(
            "DELETE FROM hit_count WHERE day < %s", (today - timedelta(days=KEPT_DAYS),)
        ).rowcount
        folded, left = connection.execute(
            "WITH gone AS (DELETE FROM hit_count WHERE day < %s AND partition <> %s"
            " RETURNING *), added AS (INSERT INTO hit_count (version_id, day, outcome, reason,"
            " partition, hits) SELECT version_id, day, outcome, reason, %s, sum(hits) FROM gone"
            " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
            " ON CONFLICT (version_id, day, outcome, reason, partition)"
            " DO UPDATE SET hits = hit_count.hits + excluded.hits RETURNING 1)"
            " SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM added)",
            (today - timedelta(days=1), NO_PARTITION, NO_PARTITION),
        ).fetchall()[0]
    return forgotten + int(folded) - int(left)
