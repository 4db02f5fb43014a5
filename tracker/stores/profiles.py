"""Profiles and their timelines, in PostgreSQL."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import dict_row

PAGE = 100


class Identifier(msgspec.Struct, frozen=True):
    """A key in a keyspace that a profile is known by."""

    keyspace: str
    key: str


class TimelineEvent(msgspec.Struct, frozen=True):
    """An event of a profile, with the definition and version that it came with.

    `data` is in the order of the version's fields; decimals are Decimal, exact.
    """

    id: UUID
    name: str
    slug: str
    category: str
    discriminator: str
    version_id: str
    version_number: int
    event_time: datetime
    received_at: datetime
    page: str | None
    referrer: str | None
    data: dict[str, Any]


class Profile(msgspec.Struct, frozen=True):
    """One person's identifiers and newest events, the newest first."""

    id: int
    created_at: datetime
    identifiers: list[Identifier]
    events: list[TimelineEvent]


def find(
    connection: psycopg.Connection, section_id: int, keyspace: str, key: str
) -> Profile | None:
    """The profile that an identifier belongs to, with its newest hundred events."""
    row = connection.execute(
        "SELECT p.id, p.created_at FROM profile p JOIN identifier i ON i.profile_id = p.id"
        " WHERE i.section_id = %s AND i.keyspace = %s AND i.key = %s",
        (section_id, keyspace, key),
    ).fetchone()
    if row is None:
        return None
    return Profile(row[0], row[1], _identifiers(connection, row[0]), _timeline(connection, row[0]))


def _identifiers(connection: psycopg.Connection, profile_id: int) -> list[Identifier]:
    rows = connection.execute(
        "SELECT keyspace, key FROM identifier WHERE profile_id = %s ORDER BY id", (profile_id,)
    )
    return [Identifier(*row) for row in rows]


def _timeline(connection: psycopg.Connection, profile_id: int) -> list[TimelineEvent]:
    """Hidden definitions vanish from timelines; nothing of them is deleted."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT e.id, d.name, d.slug, d.category, d.discriminator,"
            " v.public_id AS version_id, v.number AS version_number, e.event_time,"
            " e.received_at, e.page, e.referrer, e.data::text AS data,"
            " jsonb_path_query_array(v.fields, '$[*].key') AS keys"
            " FROM event e JOIN version v ON v.id = e.version_id"
            " JOIN definition d ON d.id = v.definition_id"
            " WHERE e.identifier_id IN (SELECT id FROM identifier WHERE profile_id = %s)"
            " AND d.hidden_at IS NULL ORDER BY e.event_time DESC, e.id DESC LIMIT %s",
            (profile_id, PAGE),
        ).fetchall()
    for row in rows:
        row["data"] = _ordered(row["data"], row.pop("keys"))
    return [TimelineEvent(**row) for row in rows]


def _ordered(data: str, keys: list[str]) -> dict[str, Any]:
    values = json.loads(data, parse_float=Decimal)
    return {key: values[key] for key in keys if key in values}


def recent(connection: psycopg.Connection, section_id: int) -> list[tuple[Identifier, datetime]]:
    """Identifiers of the section that were made last, with when."""
    rows = connection.execute(
        "SELECT keyspace, key, created_at FROM identifier WHERE section_id = %s"
        " ORDER BY id DESC LIMIT 20",
        (section_id,),
    )
    return [(Identifier(keyspace, key), made) for keyspace, key, made in rows]
