"""All snippets of a definition, those with retired keys too, in PostgreSQL."""

from datetime import datetime

import msgspec
import psycopg
from psycopg.rows import class_row


class PinnedSnippet(msgspec.Struct, frozen=True):
    """A snippet's public key, and the version it is pinned to.

    retires_at: its key was replaced, and works until then; null while it has no end.
    """

    key: str
    version_id: str
    version_number: int
    created_at: datetime
    retires_at: datetime | None


def every(connection: psycopg.Connection, definition_id: int) -> list[PinnedSnippet]:
    """The definition's snippets, those of the newest version first, the newest key first."""
    with connection.cursor(row_factory=class_row(PinnedSnippet)) as cursor:
        return cursor.execute(
            "SELECT s.key, v.public_id AS version_id, v.number AS version_number, s.created_at,"
            " s.retires_at FROM snippet s JOIN version v ON v.id = s.version_id"
            " WHERE v.definition_id = %s"
            " ORDER BY v.number DESC, s.retires_at DESC NULLS FIRST, s.key",
            (definition_id,),
        ).fetchall()
