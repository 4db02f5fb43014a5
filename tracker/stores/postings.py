"""What API clients post: events, and the answers that go with an Idempotency-Key."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import psycopg


class NamedVersion(msgspec.Struct, frozen=True):
    """The version that a post names, with what decides over its events; `fields` is JSON."""

    id: int
    fields: bytes
    usable_from: datetime
    hidden: bool
    denied_operations: list[str]


class PostedEvent(msgspec.Struct, frozen=True):
    """A valid event on its way to the event table; `data` as JSON."""

    id: UUID
    version_id: int
    event_time: datetime
    data: msgspec.Raw


def versions(
    connection: psycopg.Connection, section_id: int, public_ids: Iterable[str]
) -> dict[str, NamedVersion]:
    """The section's versions of these public ids, those of hidden definitions too."""
    # A stranger sent them: PostgreSQL takes no text with NUL, and no version has one.
    named = [public_id for public_id in public_ids if "\0" not in public_id]
    rows = connection.execute(
        "SELECT v.public_id, v.id, v.fields::text, v.usable_from, d.hidden_at IS NOT NULL,"
        " d.denied_operations FROM version v JOIN definition d ON d.id = v.definition_id"
        " WHERE d.section_id = %s AND v.public_id = ANY(%s)",
        (section_id, named),
    )
    return {
        public_id: NamedVersion(id_, fields.encode(), *rest)
        for public_id, id_, fields, *rest in rows
    }


def store(
    connection: psycopg.Connection,
    section_id: int,
    identifier_id: int,
    events: Sequence[PostedEvent],
    now: datetime,
) -> set[UUID]:
    """Write events on an identifier; returns the ids of those that were not there yet."""
    rows = connection.execute(
        "INSERT INTO event (id, section_id, identifier_id, version_id, event_time, received_at,"
        " data) SELECT e.id, %s, %s, e.version_id, e.event_time, %s, e.data"
        " FROM jsonb_to_recordset(%s::jsonb)"
        " AS e(id uuid, version_id bigint, event_time timestamptz, data jsonb) ORDER BY e.id"
        " ON CONFLICT DO NOTHING RETURNING id",
        (section_id, identifier_id, now, msgspec.json.encode(events).decode()),
    )
    return {id_ for (id_,) in rows}


class Promise(msgspec.Struct, frozen=True):
    """What a client's Idempotency-Key stands for: the post, by its hash, and its answer."""

    body_hash: bytes
    answer: str


def promise(
    connection: psycopg.Connection, client_id: int, key: str, body_hash: bytes, now: datetime
) -> Promise | None:
    """Take the key for a post, in the transaction that stores its events.

    None: it is taken now, and `keep` must follow. Else the post that took it before; while that
    one is still at work, this waits for its end.
    """
    taken = connection.execute(
        "INSERT INTO posting (client_id, key, body_hash, made_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (client_id, key, body_hash, now),
    )
    if taken.rowcount:
        return None
    row = connection.execute(
        "SELECT body_hash, answer FROM posting WHERE client_id = %s AND key = %s",
        (client_id, key),
    ).fetchone()
    # Between the two, its row may have grown too old and been deleted: then there is no promise.
    return Promise(bytes(row[0]), row[1]) if row else None


def keep(connection: psycopg.Connection, client_id: int, key: str, answer: str) -> None:
    """Keep what the post was answered."""
    connection.execute(
        "UPDATE posting SET answer = %s WHERE client_id = %s AND key = %s", (answer, client_id, key)
    )
