"""Exports of profiles, in PostgreSQL: NDJSON in parts, there for a day, gone with the person."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import psycopg
from psycopg.rows import class_row

from tracker.rules.retention import EXPORT_HOURS
from tracker.stores import event_locks
from tracker.stores.database import Connect

LIFE = timedelta(hours=EXPORT_HOURS)
_LIVES = "expires_at > %s AND expires_at > made_at"
"""Its time is not over, and nobody ended it: that sets the end to the beginning, as any clock that
was read a moment before would be too early for the end that just came."""


class EndedError(Exception):
    """The export can't go on: its time is over, or the person was erased meanwhile."""


class Asker(NamedTuple):
    """Who asks for an export: a client, somebody on a page, or (neither of them) a command."""

    client_id: int | None = None
    account_id: int | None = None


class Export(msgspec.Struct, frozen=True):
    """An export that was asked for by a client, or (None) on a page or by a command.

    keyspace: by which the profile was named; client_keyspaces: what the client may see; both are
    None once the identifier or the client is gone.
    """

    id: str
    section_id: int
    client_id: int | None
    identifier_id: int
    identifier_ids: list[int]
    made_at: datetime
    ready_at: datetime | None
    expires_at: datetime
    keyspace: str | None
    client_keyspaces: list[str] | None

    def is_gone(self, now: datetime) -> bool:
        """Whether it can't be fetched any more."""
        return self.expires_at <= max(now, self.made_at)


def ask(
    connection: psycopg.Connection,
    id_: str,
    section_id: int,
    asker: Asker,
    identifier_id: int,
    now: datetime,
) -> None:
    """Write down that the profile of an identifier is to be exported."""
    connection.execute(
        "INSERT INTO export (id, section_id, client_id, account_id, identifier_id, identifier_ids,"
        " made_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (id_, section_id, *asker, identifier_id, [identifier_id], now, now + LIFE),
    )


def get(connection: psycopg.Connection, id_: str) -> Export | None:
    """An export by its id."""
    with connection.cursor(row_factory=class_row(Export)) as cursor:
        return cursor.execute(
            "SELECT e.id, e.section_id, e.client_id, e.identifier_id, e.identifier_ids, e.made_at,"
            " e.ready_at, e.expires_at, i.keyspace, c.keyspaces AS client_keyspaces FROM export e"
            " LEFT JOIN identifier i ON i.id = e.identifier_id"
            " LEFT JOIN api_client c ON c.id = e.client_id AND c.revoked_at IS NULL"
            " WHERE e.id = %s",
            (id_,),
        ).fetchone()


def waiting(connection: psycopg.Connection, asker: Asker, now: datetime) -> int:
    """How many exports of a client or account are not ready, and not gone; 0 of commands.

    No more come until this transaction ends.
    """
    for table, id_ in (("api_client", asker.client_id), ("account", asker.account_id)):
        query = f"SELECT FROM {table} WHERE id = %s FOR NO KEY UPDATE"
        connection.execute(query.encode(), (id_,))
    query = (
        "SELECT count(*) FROM export WHERE (client_id = %s OR account_id = %s)"  # noqa: S608
        f" AND ready_at IS NULL AND {_LIVES}"
    )
    return int(connection.execute(query.encode(), (*asker, now)).fetchall()[0][0])


def unfinished(connection: psycopg.Connection, now: datetime) -> list[str]:
    """The ids of exports that are not ready, and not gone."""
    rows = connection.execute(
        f"SELECT id FROM export WHERE ready_at IS NULL AND {_LIVES} ORDER BY made_at".encode(),  # noqa: S608
        (now,),
    )
    return [id_ for (id_,) in rows]


def hidden(connection: psycopg.Connection, section_id: int) -> set[str]:
    """The discriminators of the section's hidden definitions."""
    rows = connection.execute(
        "SELECT discriminator FROM definition WHERE section_id = %s AND hidden_at IS NOT NULL",
        (section_id,),
    )
    return {discriminator for (discriminator,) in rows}


def count_events(connection: psycopg.Connection, export: Export) -> int:
    """How many events the profile has, hidden ones too."""
    query = "SELECT count(*) FROM event WHERE identifier_id = ANY(%s)"
    return int(connection.execute(query, (export.identifier_ids,)).fetchall()[0][0])


# -- writing


def begin(connection: psycopg.Connection, id_: str, now: datetime) -> None:
    """Start over, with the profile as it is now: from here on its erasure ends the export.

    Raises EndedError.
    """
    with connection.transaction():
        event_locks.share_events(connection)
        begun = connection.execute(
            "UPDATE export e SET identifier_ids = (SELECT array_agg(o.id ORDER BY o.id)"  # noqa: S608
            " FROM identifier i JOIN identifier o ON o.profile_id = i.profile_id"
            f" WHERE i.id = e.identifier_id) WHERE e.id = %s AND {_LIVES}"
            " AND EXISTS (SELECT FROM identifier i WHERE i.id = e.identifier_id)".encode(),
            (id_, now),
        )
        if not begun.rowcount:
            raise EndedError
        connection.execute("DELETE FROM export_part WHERE export_id = %s", (id_,))


def add_part(
    connection: psycopg.Connection, id_: str, number: int, body: str, now: datetime
) -> None:
    """Add a part. Raises EndedError: who was erased must not come back by it."""
    added = connection.execute(
        "INSERT INTO export_part (export_id, number, body)"  # noqa: S608
        f" SELECT id, %s, %s FROM export WHERE id = %s AND {_LIVES} FOR SHARE".encode(),
        (number, body, id_, now),
    )
    if not added.rowcount:
        raise EndedError


def make_ready(connection: psycopg.Connection, id_: str, now: datetime) -> None:
    """All parts are there: from now on it can be fetched for a day. Raises EndedError."""
    ready = connection.execute(
        f"UPDATE export SET ready_at = %s, expires_at = %s WHERE id = %s AND {_LIVES}".encode(),  # noqa: S608
        (now, now + LIFE, id_, now),
    )
    if not ready.rowcount:
        raise EndedError


def end(connection: psycopg.Connection, id_: str) -> None:
    """Nobody needs it any more: delete what it holds."""
    with connection.transaction():
        connection.execute("UPDATE export SET expires_at = made_at WHERE id = %s", (id_,))
        connection.execute("DELETE FROM export_part WHERE export_id = %s", (id_,))


# -- reading


def count_parts(connection: psycopg.Connection, id_: str) -> int:
    """How many parts a ready export has; they are numbered from 1 on.

    Raises EndedError where none are left: it had one at least.
    """
    query = "SELECT count(*) FROM export_part WHERE export_id = %s"
    count = int(connection.execute(query, (id_,)).fetchall()[0][0])
    if not count:
        raise EndedError
    return count


def part(connection: psycopg.Connection, id_: str, number: int) -> str:
    """A part of a ready export. Raises EndedError if it has ended."""
    row = connection.execute(
        "SELECT p.body FROM export_part p JOIN export e ON e.id = p.export_id"
        " WHERE e.id = %s AND p.number = %s AND e.expires_at > greatest(now(), e.made_at)",
        (id_, number),
    ).fetchone()
    if row is None:
        raise EndedError
    return str(row[0])


def parts(connect: Connect, id_: str) -> Iterator[str]:
    """A ready export's parts, in order. Raises EndedError if it ends meanwhile.

    Each is read on a connection of its own: whoever reads slowly keeps none from the others.
    """
    with connect() as connection:
        count = count_parts(connection, id_)
    for number in range(1, count + 1):
        with connect() as connection:
            body = part(connection, id_, number)
        yield body
