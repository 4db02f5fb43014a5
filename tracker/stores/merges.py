"""Merges of profiles, in PostgreSQL: identifiers move, events stay with their identifiers.

Whoever moves identifiers holds the section's IDENTITIES lock (event_locks.py).
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

import msgspec
import psycopg

from tracker.rules.keyspaces import Keyspace
from tracker.stores.profiles import Identifier

NEWEST = 100


class Kind(StrEnum):
    """What was done with two profiles, or refused."""

    MERGED = "merged"
    REFUSED = "refused"
    UNMERGED = "unmerged"


class Merge(msgspec.Struct, frozen=True):
    """What was recorded of two profiles, by the identifiers that they were named by.

    second: for `unmerged`, one of those that `first` was taken from; None where it can't be seen.
    """

    kind: str
    made_at: datetime
    made_by: str
    first: Identifier
    second: Identifier | None


def record(
    connection: psycopg.Connection,
    section_id: int,
    kind: Kind,
    identifiers: tuple[int, int],
    made_by: str,
    now: datetime,
) -> None:
    """Record it, for the timelines of both identifiers."""
    connection.execute(
        "INSERT INTO merge (section_id, kind, first_id, second_id, made_by, made_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (section_id, kind, *identifiers, made_by, now),
    )


def join(connection: psycopg.Connection, into: int, profile_id: int) -> None:
    """Give a profile's identifiers to another, and delete the empty one."""
    connection.execute(
        "UPDATE identifier SET profile_id = %s WHERE profile_id = %s", (into, profile_id)
    )
    connection.execute("DELETE FROM profile WHERE id = %s", (profile_id,))


def take_out(
    connection: psycopg.Connection, section_id: int, identifier_id: int, now: datetime
) -> None:
    """Give an identifier a new profile of its own."""
    connection.execute(
        "WITH made AS (INSERT INTO profile (section_id, created_at) VALUES (%s, %s) RETURNING id)"
        " UPDATE identifier SET profile_id = made.id FROM made WHERE identifier.id = %s",
        (section_id, now, identifier_id),
    )


def newest(
    connection: psycopg.Connection,
    identifiers: Collection[int],
    keyspaces: Collection[Keyspace],
    limit: int | None = NEWEST,
) -> list[Merge]:
    """The newest records of these identifiers (None: all), without those of other keyspaces."""
    rows = connection.execute(
        "SELECT m.kind, m.made_at, m.made_by, ARRAY[f.keyspace, f.key], ARRAY[s.keyspace, s.key]"
        " FROM merge m"
        " JOIN identifier f ON f.id = m.first_id AND f.keyspace = ANY(%(keyspaces)s)"
        " LEFT JOIN identifier s ON s.id = m.second_id AND s.keyspace = ANY(%(keyspaces)s)"
        " WHERE (m.first_id = ANY(%(ids)s) OR m.second_id = ANY(%(ids)s))"
        " AND (s.id IS NOT NULL OR m.kind = 'unmerged') ORDER BY m.id DESC LIMIT %(newest)s::int",
        {
            "keyspaces": [str(keyspace) for keyspace in keyspaces],
            "ids": list(identifiers),
            "newest": limit,
        },
    )
    return [
        Merge(kind, made_at, made_by, Identifier(*first), _identifier(*second))
        for kind, made_at, made_by, first, second in rows
    ]


def _identifier(keyspace: str | None, key: str | None) -> Identifier | None:
    return None if keyspace is None or key is None else Identifier(keyspace, key)
