"""The newest stored events of a definition, found within bounds: no index leads to them.

Events lie in the order of the time in their ids. The newest MOST of the installation are looked
through from the newest on, and no more: a rare definition's older events stay unseen, and the
answers say from when on events were looked at. An id of a clock that was days ahead, or behind, is
taken for that time: it is among the newest for longer, or not at all.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import class_row

from tracker.rules.ids import first_of, time_ms

MOST = 500_000
"""Events of the installation that one question looks at."""
PAGE_TEXT = 2_000
"""Characters of a page's address that are read: it may have 100,000."""

# Streamed backwards along the primary key, so that it ends early when there is enough.
_NEWEST = "(SELECT * FROM event WHERE id >= %(first)s ORDER BY id DESC LIMIT %(most)s) AS newest"


class StoredEvent(msgspec.Struct, frozen=True):
    """An event as it is stored: `data` is the JSON object's text."""

    id: UUID
    version_id: int
    data: str


class WholeEvent(msgspec.Struct, frozen=True):
    """An event as it is stored, with whose it is; `data` may be cut off, and has no order.

    fields: the keys of its version's, in their order.
    """

    id: UUID
    version_id: int
    event_time: datetime
    received_at: datetime
    data: str
    page: str | None
    agent: str | None
    keyspace: str
    key: str
    fields: list[str]


class PageCount(msgspec.Struct, frozen=True):
    """Events of a version that came from a page, without its query; None: they named no page."""

    version_id: int
    page: str | None
    events: int
    last_seen: datetime


def newest(
    connection: psycopg.Connection,
    version_ids: Sequence[int],
    since: datetime,
    limit: int,
    most: int,
) -> Iterator[StoredEvent]:
    """The newest events of these versions, the newest first, among the newest `most` of all.

    One at a time, as they may have 100 kB each; the connection is busy until the last one has.
    """
    with connection.cursor(row_factory=class_row(StoredEvent)) as cursor:
        query = f"SELECT id, version_id, data::text AS data FROM {_NEWEST}"  # noqa: S608
        query += " WHERE version_id = ANY(%(versions)s) ORDER BY id DESC LIMIT %(limit)s"
        parts = {**_bounds(since, most), "versions": list(version_ids), "limit": limit}
        yield from cursor.stream(query.encode(), parts)


def whole(
    connection: psycopg.Connection,
    version_ids: Sequence[int],
    since: datetime,
    limit: int,
    most: int,
    most_text: int,
) -> list[WholeEvent]:
    """The newest events of these versions with all that is shown of them, like `newest`."""
    with connection.cursor(row_factory=class_row(WholeEvent)) as cursor:
        query = (
            "SELECT newest.id, version_id, event_time, received_at,"  # noqa: S608
            " left(data::text, %(text)s) AS data, left(page, %(text)s) AS page, agent, i.keyspace,"
            " i.key, jsonb_path_query_array(v.fields, '$[*].key') AS fields"
            f" FROM {_NEWEST} JOIN identifier i ON i.id = identifier_id"
            " JOIN version v ON v.id = version_id"
            " WHERE version_id = ANY(%(versions)s) ORDER BY newest.id DESC LIMIT %(limit)s"
        )
        parts = {
            **_bounds(since, most),
            "versions": list(version_ids),
            "limit": limit,
            "text": most_text,
        }
        return cursor.execute(query.encode(), parts).fetchall()


def pages(
    connection: psycopg.Connection,
    version_ids: Sequence[int],
    since: datetime,
    limit: int,
    most: int,
) -> list[PageCount]:
    """Pages that sent these versions, those seen last first, among the newest `most` events."""
    with connection.cursor(row_factory=class_row(PageCount)) as cursor:
        query = (
            f"SELECT version_id, left(split_part(split_part(page, '#', 1), '?', 1), {PAGE_TEXT})"  # noqa: S608
            " AS page, count(*) AS events, max(received_at) AS last_seen"
            f" FROM {_NEWEST} WHERE version_id = ANY(%(versions)s)"
            " GROUP BY 1, 2 ORDER BY 4 DESC, 1 DESC, 2 LIMIT %(limit)s"
        )
        parts = {**_bounds(since, most), "versions": list(version_ids), "limit": limit}
        return cursor.execute(query.encode(), parts).fetchall()


def reach(connection: psycopg.Connection, since: datetime, most: int) -> datetime:
    """From when on the newest `most` events were looked at: `since`, or later if there are more."""
    rows = connection.execute(
        "SELECT id FROM event WHERE id >= %(first)s ORDER BY id DESC OFFSET %(most)s - 1 LIMIT 2",
        _bounds(since, most),
    ).fetchall()
    # The last one that was looked at, if there is another beyond it.
    return datetime.fromtimestamp(time_ms(rows[0][0]) / 1000, UTC) if len(rows) == 2 else since


def _bounds(since: datetime, most: int) -> dict[str, object]:
    return {"first": first_of(int(since.timestamp() * 1000)), "most": most}
