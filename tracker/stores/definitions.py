"""Definitions, their versions and snippets, in PostgreSQL."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from tracker.rules.definitions import Category, Draft
from tracker.rules.fields import Field


class NameTakenError(Exception):
    """Another definition of the section has this name."""


class Version(msgspec.Struct, frozen=True):
    """An immutable snapshot of a definition's fields; `public_id` is what API clients see.

    edit: the number of the edit that made it, 0 for the first save.
    """

    id: int
    public_id: str
    definition_id: int
    number: int
    fields: list[Field]
    created_at: datetime
    usable_from: datetime
    edit: int = 0


class Definition(msgspec.Struct, frozen=True):
    """A saved Custom Event with its versions, the newest first.

    edits: how often it was edited; locked_until: from when it can be edited again, None if it
    never was; denied_operations: such as `email:read`; ttl_days: days until its events are
    deleted, None for never.
    """

    id: int
    section_id: int
    category: Category
    slug: str
    name: str
    description: str
    discriminator: str
    web_tracking: bool
    hidden_at: datetime | None
    created_at: datetime
    edits: int = 0
    locked_until: datetime | None = None
    denied_operations: list[str] = []
    ttl_days: int | None = None
    versions: list[Version] = []


class Snippet(msgspec.Struct, frozen=True):
    """A snippet's public, write-only key, and the version that the snippet is pinned to."""

    key: str
    version_id: int
    created_at: datetime


_COLUMNS = (
    "id, section_id, category, slug, name, description, discriminator, "
    "web_tracking, hidden_at, created_at, edits, locked_until, denied_operations, ttl_days"
)


def slugs(connection: psycopg.Connection, section_id: int) -> set[str]:
    """The slugs that are taken in a section, by hidden definitions too."""
    rows = connection.execute("SELECT slug FROM definition WHERE section_id = %s", (section_id,))
    return {slug for (slug,) in rows}


def create(
    connection: psycopg.Connection,
    section_id: int,
    draft: Draft,
    fields: Iterable[Field],
    *,
    slug: str,
    discriminator: str,
    version_public_id: str,
    now: datetime,
) -> Definition:
    """Save a new definition and its version 1, usable at once. Raises NameTakenError."""
    with connection.transaction():
        row = connection.execute(
            "INSERT INTO definition (section_id, category, slug, name, description,"
            " discriminator, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (section_id, name) DO NOTHING RETURNING id",
            (section_id, draft.category, slug, draft.name, draft.description, discriminator, now),
        ).fetchone()
        if row is None:
            raise NameTakenError(draft.name)
        connection.execute(
            "INSERT INTO version (public_id, definition_id, number, fields, created_at,"
            " usable_from) VALUES (%s, %s, 1, %s, %s, %s)",
            (version_public_id, row[0], Jsonb(msgspec.to_builtins(list(fields))), now, now),
        )
    return _whole(connection, "id = %s", row[0])[0]


def visible(connection: psycopg.Connection, section_id: int) -> list[Definition]:
    """The section's definitions that are not hidden, by category and name."""
    return _whole(connection, "section_id = %s AND hidden_at IS NULL", section_id)


def find(connection: psycopg.Connection, section_id: int, name: str) -> Definition | None:
    """A section's definition, hidden or not, by discriminator, slug or name, in this order."""
    found = _whole(connection, "section_id = %s AND discriminator = %s", section_id, name)
    found = found or _whole(connection, "section_id = %s AND slug = %s", section_id, name)
    found = found or _whole(connection, "section_id = %s AND name = %s", section_id, name)
    return found[0] if found else None


def _whole(connection: psycopg.Connection, condition: str, *values: Any) -> list[Definition]:
    with connection.cursor(row_factory=class_row(Definition)) as cursor:
        query = f"SELECT {_COLUMNS} FROM definition WHERE {condition} ORDER BY category, name"  # noqa: S608
        rows = cursor.execute(query.encode(), values).fetchall()
    versions = _versions(connection, [row.id for row in rows])
    return [
        msgspec.structs.replace(
            row, category=msgspec.convert(row.category, Category), versions=versions.get(row.id, [])
        )
        for row in rows
    ]


def _versions(connection: psycopg.Connection, ids: list[int]) -> dict[int, list[Version]]:
    rows = connection.execute(
        "SELECT id, public_id, definition_id, number, fields, created_at, usable_from,"
        " edit FROM version WHERE definition_id = ANY(%s) ORDER BY number DESC",
        (ids,),
    )
    versions: dict[int, list[Version]] = {}
    for id_, public_id, definition_id, number, fields, *rest in rows:
        version = Version(
            id_, public_id, definition_id, number, msgspec.convert(fields, list[Field]), *rest
        )
        versions.setdefault(definition_id, []).append(version)
    return versions


# -- web tracking


def switch_on(
    connection: psycopg.Connection, definition_id: int, version_id: int, key: str, now: datetime
) -> Snippet | None:
    """Turn web tracking on, with a snippet for the version; `key` is used if it has none yet.

    Idempotent. None where the definition is hidden.
    """
    with connection.transaction(), connection.cursor(row_factory=class_row(Snippet)) as cursor:
        switched = connection.execute(
            "UPDATE definition SET web_tracking = true WHERE id = %s AND hidden_at IS NULL",
            (definition_id,),
        )
        if switched.rowcount == 0:
            return None
        cursor.execute(
            "INSERT INTO snippet (key, version_id, created_at) VALUES (%s, %s, %s)"
            " ON CONFLICT (version_id) WHERE retires_at IS NULL DO NOTHING",
            (key, version_id, now),
        )
        return cursor.execute(
            "SELECT key, version_id, created_at FROM snippet WHERE version_id = %s"
            " AND retires_at IS NULL",
            (version_id,),
        ).fetchone()


def switch_off(connection: psycopg.Connection, definition_id: int) -> None:
    """Turn web tracking off; the snippets keep their keys. Idempotent."""
    connection.execute("UPDATE definition SET web_tracking = false WHERE id = %s", (definition_id,))


def snippet_of(connection: psycopg.Connection, version_id: int) -> Snippet | None:
    """The snippet that is pinned to a version, if web tracking was ever on for it."""
    with connection.cursor(row_factory=class_row(Snippet)) as cursor:
        return cursor.execute(
            "SELECT key, version_id, created_at FROM snippet WHERE version_id = %s"
            " AND retires_at IS NULL",
            (version_id,),
        ).fetchone()


def keep_script(connection: psycopg.Connection, name: str, body: str) -> None:
    """Keep a hosted script for good: tags on pages name it by its hash."""
    connection.execute(
        "INSERT INTO script (hash, body) SELECT %s, %s"
        " WHERE NOT EXISTS (SELECT FROM script WHERE hash = %s)",
        (name, body, name),
    )
