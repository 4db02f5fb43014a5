"""Who did what on the pages, in PostgreSQL."""

from datetime import datetime

import msgspec
import psycopg
from psycopg.rows import class_row


class Entry(msgspec.Struct, frozen=True):
    """Something that somebody did; section: its slug, where it was in one."""

    at: datetime
    account: str
    section: str | None
    action: str
    subject: str


def add(
    connection: psycopg.Connection,
    account: str,
    action: str,
    subject: str,
    now: datetime,
    section_id: int | None = None,
) -> None:
    """Note something down, in the transaction of what was done, where there is one."""
    connection.execute(
        "INSERT INTO audit_log (at, account, section_id, action, subject)"
        " VALUES (%s, %s, %s, %s, %s)",
        (now, account, section_id, action, subject),
    )


def newest(
    connection: psycopg.Connection, section_id: int | None = None, limit: int = 200
) -> list[Entry]:
    """The newest entries of a section, or of the whole installation."""
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(
            "SELECT l.at, l.account, s.slug AS section, l.action, l.subject FROM audit_log l"
            " LEFT JOIN section s ON s.id = l.section_id"
            " WHERE %s::int IS NULL OR l.section_id = %s ORDER BY l.id DESC LIMIT %s",
            (section_id, section_id, limit),
        ).fetchall()
