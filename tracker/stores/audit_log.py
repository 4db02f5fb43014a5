"""Who did what, in PostgreSQL: people, commands (`cli:<user>`) and API clients (`api:<name>`)."""

from datetime import datetime

import msgspec
import psycopg
from psycopg.rows import class_row


class Entry(msgspec.Struct, frozen=True):
    """Something that somebody did; section: its slug, where it was in one."""

    id: int
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
    connection: psycopg.Connection,
    section_id: int | None = None,
    *,
    account: str = "",
    before: int | None = None,
    limit: int = 200,
) -> list[Entry]:
    """The newest entries of a section, or of all; of one account, or of those before an id."""
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(
            "SELECT l.id, l.at, l.account, s.slug AS section, l.action, l.subject FROM audit_log l"
            " LEFT JOIN section s ON s.id = l.section_id"
            " WHERE (%(section)s::int IS NULL OR l.section_id = %(section)s)"
            " AND (%(account)s = '' OR l.account = %(account)s)"
            " AND (%(before)s::bigint IS NULL OR l.id < %(before)s)"
            " ORDER BY l.id DESC LIMIT %(limit)s",
            {"section": section_id, "account": account, "before": before, "limit": limit},
        ).fetchall()


def accounts(connection: psycopg.Connection, section_id: int | None = None) -> list[str]:
    """The names of those who did something in a section, or anywhere."""
    rows = connection.execute(
        "SELECT DISTINCT account FROM audit_log"
        " WHERE %(section)s::int IS NULL OR section_id = %(section)s ORDER BY account",
        {"section": section_id},
    )
    return [name for (name,) in rows]
