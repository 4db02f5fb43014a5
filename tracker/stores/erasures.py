"""Erasures of profiles, in PostgreSQL: first nobody can find the person, then the traces go.

`begin` is the one moment at which a person is erased: with nobody else writing events, the keyed
hashes of the identifiers come in, and the identifiers go out of use. What they were is kept in
`erasing` until all traces are deleted, so that a job that was killed can be run again. Each
transaction counts in the ledger what it deletes.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import class_row

from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.outcomes import Outcome
from tracker.rules.states import ERASED, NO_PARTITION, Move
from tracker.stores import batches, event_locks, kept_hits

BATCH = 5_000
CLAIMS_CHUNK, POSTINGS_CHUNK = 1_000, 500


class Erasure(msgspec.Struct, frozen=True):
    """An erasure that was asked for; `erased` says how much of what is deleted so far."""

    id: str
    section_id: int
    identifier_id: int
    asked_at: datetime
    begun_at: datetime | None
    finished_at: datetime | None
    erased: dict[str, int]

    @property
    def state(self) -> str:
        """`waiting`, `running` (nobody finds the person any more) or `finished`."""
        if self.finished_at:
            return "finished"
        return "running" if self.begun_at else "waiting"


_COLUMNS = "id, section_id, identifier_id, asked_at, begun_at, finished_at, erased"


def ask(
    connection: psycopg.Connection, id_: str, section_id: int, identifier_id: int, now: datetime
) -> None:
    """Write down that the profile of an identifier is to be erased."""
    connection.execute(
        "INSERT INTO erasure (id, section_id, identifier_id, asked_at) VALUES (%s, %s, %s, %s)",
        (id_, section_id, identifier_id, now),
    )


def get(connection: psycopg.Connection, id_: str) -> Erasure | None:
    """An erasure by its id."""
    with connection.cursor(row_factory=class_row(Erasure)) as cursor:
        query = f"SELECT {_COLUMNS} FROM erasure WHERE id = %s"  # noqa: S608
        return cursor.execute(query.encode(), (id_,)).fetchone()


def unfinished(connection: psycopg.Connection) -> list[str]:
    """The ids of erasures that are not finished."""
    rows = connection.execute("SELECT id FROM erasure WHERE finished_at IS NULL ORDER BY asked_at")
    return [id_ for (id_,) in rows]


# -- the one moment


def begin(
    connection: psycopg.Connection,
    erasure: Erasure,
    hash_of: Callable[[Identity], bytes],
    now: datetime,
) -> None:
    """Put the identifiers out of use, once: what the profile is at this moment is erased.

    All who write events, held or quarantined hits wait for the few milliseconds that it takes.
    """
    with connection.transaction():
        event_locks.take_events(connection)
        event_locks.lock_identities(connection, [erasure.section_id])
        begun = connection.execute(
            "UPDATE erasure SET begun_at = %s WHERE id = %s AND begun_at IS NULL",
            (now, erasure.id),
        )
        if not begun.rowcount:
            return
        connection.execute(
            "INSERT INTO erasing (erasure_id, identifier_id, keyspace, key)"
            " SELECT %s, id, keyspace, key FROM identifier WHERE profile_id ="
            " (SELECT profile_id FROM identifier WHERE id = %s)",
            (erasure.id, erasure.identifier_id),
        )
        identities = erased_identities(connection, erasure)
        connection.execute(
            "INSERT INTO erased (section_id, hash, erased_at)"
            " SELECT %s, unnest(%s::bytea[]), %s ON CONFLICT DO NOTHING",
            (erasure.section_id, [hash_of(one) for one in identities.values()], now),
        )
        _forget(connection, list(identities))


def _forget(connection: psycopg.Connection, identifier_ids: list[int]) -> None:
    """Delete the identifiers, their profile and what binds it to others; end its exports."""
    connection.execute(
        "WITH gone AS (DELETE FROM identifier WHERE id = ANY(%s) RETURNING profile_id)"
        " DELETE FROM profile WHERE id IN (SELECT profile_id FROM gone)",
        (identifier_ids,),
    )
    connection.execute(
        "DELETE FROM merge WHERE first_id = ANY(%s) OR second_id = ANY(%s)",
        (identifier_ids, identifier_ids),
    )
    connection.execute(
        "UPDATE export SET expires_at = made_at WHERE identifier_ids && %s::bigint[]",
        (identifier_ids,),
    )


def erased_identities(connection: psycopg.Connection, erasure: Erasure) -> dict[int, Identity]:
    """The identifiers that a begun erasure is about, by their ids; none once it is finished."""
    rows = connection.execute(
        "SELECT identifier_id, keyspace, key FROM erasing WHERE erasure_id = %s ORDER BY 1",
        (erasure.id,),
    )
    return {id_: Identity(Keyspace(keyspace), key) for id_, keyspace, key in rows}  # type: ignore[call-arg]


def finish(connection: psycopg.Connection, erasure: Erasure, now: datetime) -> None:
    """Every trace is deleted: forget who it was."""
    with connection.transaction():
        connection.execute("DELETE FROM erasing WHERE erasure_id = %s", (erasure.id,))
        connection.execute(
            "UPDATE erasure SET finished_at = %s WHERE id = %s AND finished_at IS NULL",
            (now, erasure.id),
        )


# -- the traces


def volume(connection: psycopg.Connection, erasure: Erasure, identifier_ids: Sequence[int]) -> int:
    """How many rows an erasure deletes or looks at, about."""
    rows = connection.execute(
        "SELECT (SELECT count(*) FROM event WHERE identifier_id = ANY(%s))"
        " + (SELECT count(*) FROM event WHERE section_id = %s AND claims IS NOT NULL)",
        (list(identifier_ids), erasure.section_id),
    ).fetchall()
    hits = (kept_hits.count(connection, s, erasure.section_id) for s in kept_hits.STATES)
    return int(rows[0][0]) + sum(hits)


def erase_events(
    connection: psycopg.Connection, erasure: Erasure, identifier_ids: Sequence[int]
) -> int:
    """Delete a batch of the events; returns how many it found, 0 once there is none left.

    Retention may delete them first: then they are not counted here, and there may be more.
    """
    with connection.transaction():
        found = connection.execute(
            "SELECT id FROM event WHERE identifier_id = ANY(%s) LIMIT %s",
            (list(identifier_ids), BATCH),
        ).fetchall()
        deleted = connection.execute(
            "DELETE FROM event WHERE id = ANY(%s) AND identifier_id = ANY(%s)",
            ([id_ for (id_,) in found], list(identifier_ids)),
        ).rowcount
        _count(connection, erasure, Outcome.STORED, "events", deleted)
    return len(found)


def erase_hits(
    connection: psycopg.Connection, erasure: Erasure, state: Outcome, ids: Sequence[int]
) -> int:
    """Delete these quarantined or held hits; returns how many were still there."""
    with connection.transaction():
        event_locks.share_events(connection)
        deleted = kept_hits.remove(connection, state, ids)
        _count(connection, erasure, state, str(state), deleted)
    return deleted


def claims(connection: psycopg.Connection, section_id: int) -> Iterator[list[tuple[UUID, str]]]:
    """The section's events that have claims, by id, with the claims' JSON, a chunk at a time."""
    last = UUID(int=0)
    while rows := connection.execute(
        "SELECT id, claims FROM event WHERE section_id = %s AND claims IS NOT NULL AND id > %s"
        " ORDER BY id LIMIT %s",
        (section_id, last, CLAIMS_CHUNK),
    ).fetchall():
        yield rows
        last = rows[-1][0]


def change_claims(
    connection: psycopg.Connection, erasure: Erasure, changed: Mapping[UUID, str | None]
) -> int:
    """Give events these claims in place of theirs; returns how many are still there.

    Nobody else may change claims meanwhile.
    """
    with connection.transaction():
        done = connection.execute(
            "UPDATE event e SET claims = n.claims FROM unnest(%s::uuid[], %s::text[])"
            " AS n(id, claims) WHERE e.id = n.id AND e.section_id = %s",
            (list(changed), list(changed.values()), erasure.section_id),
        ).rowcount
        _note(connection, erasure, "claims", done)
    return done


def postings(
    connection: psycopg.Connection, section_id: int
) -> Iterator[list[tuple[int, str, str]]]:
    """The answers to posts of the section's clients: client, key, answer; a chunk at a time."""
    last: tuple[int, str] = (0, "")
    while rows := connection.execute(
        "SELECT client_id, key, coalesce(answer, '') FROM posting"
        " WHERE client_id IN (SELECT id FROM api_client WHERE section_id = %s)"
        " AND (client_id, key) > (%s, %s) ORDER BY client_id, key LIMIT %s",
        (section_id, *last, POSTINGS_CHUNK),
    ).fetchall():
        yield rows
        last = rows[-1][:2]


def own_events(
    connection: psycopg.Connection, ids: Sequence[UUID], identifier_ids: Sequence[int]
) -> set[UUID]:
    """Those of these events that belong to one of the identifiers."""
    rows = connection.execute(
        "SELECT id FROM event WHERE id = ANY(%s) AND identifier_id = ANY(%s)",
        (list(ids), list(identifier_ids)),
    )
    return {id_ for (id_,) in rows}


def erase_postings(
    connection: psycopg.Connection, erasure: Erasure, keys: Sequence[tuple[int, str]]
) -> int:
    """Delete these answers to posts, by client and key."""
    with connection.transaction():
        deleted = connection.execute(
            "DELETE FROM posting p USING unnest(%s::bigint[], %s::text[]) AS g(client_id, key)"
            " WHERE p.client_id = g.client_id AND p.key = g.key",
            ([client for client, _ in keys], [key for _, key in keys]),
        ).rowcount
        _note(connection, erasure, "postings", deleted)
    return deleted


def erase_exports(
    connection: psycopg.Connection, erasure: Erasure, identifier_ids: Sequence[int]
) -> int:
    """Delete what exports of the profile hold; returns how many they were."""
    with connection.transaction():
        gone = connection.execute(
            "WITH gone AS (DELETE FROM export_part p USING export e WHERE e.id = p.export_id"
            " AND e.identifier_ids && %s::bigint[] RETURNING e.id)"
            " SELECT count(DISTINCT id) FROM gone",
            (list(identifier_ids),),
        ).fetchall()[0][0]
        _note(connection, erasure, "exports", gone)
    return int(gone)


def _count(
    connection: psycopg.Connection, erasure: Erasure, state: Outcome, what: str, hits: int
) -> None:
    if hits:
        batches.count(connection, Counter({Move(NO_PARTITION, state, ERASED): hits}))
        _note(connection, erasure, what, hits)


def _note(connection: psycopg.Connection, erasure: Erasure, what: str, more: int) -> None:
    parameters: dict[str, Any] = {"id": erasure.id, "what": what, "more": more}
    connection.execute(
        "UPDATE erasure SET erased = erased || jsonb_build_object(%(what)s::text,"
        " coalesce((erased ->> %(what)s)::bigint, 0) + %(more)s::bigint)"
        " WHERE id = %(id)s AND %(more)s::bigint > 0",
        parameters,
    )
