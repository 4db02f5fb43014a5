"""All snippets of a definition, those with retired keys too, in PostgreSQL."""

from collections.abc import Callable, Collection
from datetime import datetime

import msgspec
import psycopg
from psycopg.rows import class_row


class PinnedSnippet(msgspec.Struct, frozen=True):
    """A snippet's public key, and the version it is pinned to.

    retires_at: its key was replaced or ended, and works until then; null while it has no end;
    lost: how many hits its senders say they had to give up, at least.
    """

    key: str
    version_id: str
    version_number: int
    created_at: datetime
    retires_at: datetime | None
    lost: int = 0


def every(connection: psycopg.Connection, definition_id: int) -> list[PinnedSnippet]:
    """The definition's snippets, those of the newest version first, the newest key first.

    What is `lost` stands in Redis: losses.counted.
    """
    with connection.cursor(row_factory=class_row(PinnedSnippet)) as cursor:
        return cursor.execute(
            "SELECT s.key, v.public_id AS version_id, v.number AS version_number, s.created_at,"
            " s.retires_at FROM snippet s JOIN version v ON v.id = s.version_id"
            " WHERE v.definition_id = %s"
            " ORDER BY v.number DESC, s.retires_at DESC NULLS FIRST, s.key",
            (definition_id,),
        ).fetchall()


class NamedVersion(msgspec.Struct, frozen=True):
    """A version as people call it, and the key of a snippet that is pinned to it, if there is one.

    `event` is its definition's name.
    """

    key: str | None
    version_id: int
    slug: str
    event: str
    number: int


def names(connection: psycopg.Connection, section_id: int) -> list[NamedVersion]:
    """All versions of a section's events that are not hidden, by the event's name."""
    with connection.cursor(row_factory=class_row(NamedVersion)) as cursor:
        return cursor.execute(
            "SELECT s.key, v.id AS version_id, d.slug, d.name AS event, v.number"
            " FROM definition d JOIN version v ON v.definition_id = d.id"
            " LEFT JOIN snippet s ON s.version_id = v.id"
            " WHERE d.section_id = %s AND d.hidden_at IS NULL ORDER BY d.name, d.slug",
            (section_id,),
        ).fetchall()


def regenerate(
    connection: psycopg.Connection,
    definition_id: int,
    version_id: int,
    mint_key: Callable[[], str],
    now: datetime,
    *,
    retiring: Collection[str] = (),
    retires_at: datetime | None = None,
) -> bool:
    """Make the snippets that a version and those after it lack; False if it is not tracked.

    First, the keys `retiring` get the end `retires_at`, or keep one that is earlier; a key that
    replaced one of them since it was read stays as it is.
    """
    with connection.transaction():
        # Under the lock of the definition's row no edit adds a version, and nobody rotates.
        tracked = connection.execute(
            "SELECT FROM definition WHERE id = %s AND web_tracking AND hidden_at IS NULL"
            " FOR UPDATE",
            (definition_id,),
        )
        if tracked.rowcount == 0:
            return False
        if retiring:
            connection.execute(
                "UPDATE snippet SET retires_at = %(end)s WHERE key = ANY(%(keys)s)"
                " AND (retires_at IS NULL OR retires_at > %(end)s)",
                {"end": retires_at, "keys": list(retiring)},
            )
        add_lacking(connection, definition_id, version_id, mint_key, now)
    return True


def add_lacking(
    connection: psycopg.Connection,
    definition_id: int,
    version_id: int,
    mint_key: Callable[[], str],
    now: datetime,
) -> None:
    """Make the snippets that a version and those after it lack, in a transaction of the caller's.

    It must hold the lock of the definition's row, so that no edit adds a version meanwhile.
    """
    lacking = connection.execute(
        "SELECT v.id FROM version v JOIN version first ON first.id = %s"
        " WHERE v.definition_id = %s AND v.number >= first.number AND NOT EXISTS"
        " (SELECT FROM snippet s WHERE s.version_id = v.id AND s.retires_at IS NULL)",
        (version_id, definition_id),
    )
    for (lacking_id,) in lacking.fetchall():
        add(connection, lacking_id, mint_key(), now)


def add(connection: psycopg.Connection, version_id: int, key: str, now: datetime) -> None:
    """Give a version a snippet; it must have none whose key has no end."""
    connection.execute(
        "INSERT INTO snippet (key, version_id, created_at) VALUES (%s, %s, %s)",
        (key, version_id, now),
    )
