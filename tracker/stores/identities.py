"""Identifiers and the profiles that they belong to: making them, in the caller's transaction."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import psycopg


class Name(NamedTuple):
    """What names an identifier: its key, as `normalise` made it, in a keyspace of a section."""

    section_id: int
    keyspace: str
    key: str


def make(connection: psycopg.Connection, names: Iterable[Name]) -> None:
    """Make those of the identifiers that are missing, each on a new profile of its own."""
    wanted = [name._asdict() for name in sorted(set(names))]
    connection.execute(
        "WITH made AS (INSERT INTO identifier (section_id, keyspace, key)"
        " SELECT w.section_id, w.keyspace, w.key FROM jsonb_to_recordset(%s::jsonb)"
        " AS w(section_id int, keyspace text, key text) WHERE NOT EXISTS (SELECT FROM identifier i"
        " WHERE i.section_id = w.section_id AND i.keyspace = w.keyspace AND i.key = w.key)"
        " ON CONFLICT DO NOTHING RETURNING profile_id, section_id)"
        " INSERT INTO profile (id, section_id) SELECT profile_id, section_id FROM made",
        (msgspec.json.encode(wanted).decode(),),
    )
