"""Identifiers and the profiles that they belong to: making and joining them, in PostgreSQL.

All of it is done in the caller's transaction.
"""

from collections.abc import Sequence, Set

import msgspec
import psycopg

from tracker.rules import joining
from tracker.rules.joining import Name as Name
from tracker.rules.joining import Plan
from tracker.rules.keyspaces import Keyspace
from tracker.stores import binary, event_locks


def ids(
    connection: psycopg.Connection, names: Set[tuple[int, str, str]]
) -> dict[tuple[int, str, str], int]:
    """The ids of these identifiers; missing ones are made, each on a new profile of its own."""
    found = _find(connection, list(names))
    # In one order, so that two who make the same never wait for each other in a circle.
    if missing := sorted(names - found.keys()):
        found |= _make(connection, missing)
    if elsewhere := list(names - found.keys()):  # made by somebody else meanwhile
        found |= _find(connection, elsewhere)
    return found


def _find(
    connection: psycopg.Connection, names: Sequence[tuple[int, str, str]]
) -> dict[tuple[int, str, str], int]:
    rows = connection.execute(
        f"SELECT w.place, i.id FROM {_NAMED} WITH ORDINALITY AS w(section_id, keyspace, key, place)"  # noqa: S608
        " JOIN identifier i ON i.section_id = w.section_id AND i.keyspace = w.keyspace"
        " AND i.key = w.key".encode(),
        _columns(names),
        binary=True,
    )
    return {names[place - 1]: id_ for place, id_ in rows}


def _make(
    connection: psycopg.Connection, names: Sequence[tuple[int, str, str]]
) -> dict[tuple[int, str, str], int]:
    """Make identifiers, but for those that somebody else has made meanwhile; returns their ids."""
    rows = connection.execute(
        "WITH made AS (INSERT INTO identifier (section_id, keyspace, key)"  # noqa: S608
        f" SELECT * FROM {_NAMED} ON CONFLICT DO NOTHING"
        " RETURNING section_id, keyspace, key, profile_id, id),"
        " profiles AS"
        " (INSERT INTO profile (id, section_id) SELECT profile_id, section_id FROM made)"
        " SELECT section_id, keyspace, key, id FROM made".encode(),
        _columns(names),
        binary=True,
    )
    return {(section_id, keyspace, key): id_ for section_id, keyspace, key, id_ in rows}


_NAMED = "unnest(%s, %s, %s)"


def _columns(names: Sequence[tuple[int, str, str]]) -> tuple[bytes, bytes, bytes]:
    """Section ids, keyspaces and keys, for _NAMED."""
    section_ids, keyspaces, keys = zip(*names, strict=True)
    return binary.ints(section_ids), binary.texts(keyspaces), binary.texts(keys)


def join(connection: psycopg.Connection, hits: Sequence[Sequence[Name]]) -> None:
    """Make and join the identifiers of hits that prove who they are, as rules/joining.py says.

    Most hits are of people whose identifiers are joined already, and need no lock. Call this
    before `ids`: locks of sections come before rows.
    """
    if not any(_plan(connection, hits)):
        return
    event_locks.lock_identities(connection, {first.section_id for first, *_ in hits})
    # Others may still make identifiers, without the lock: what they did is planned with next.
    while any(plan := _plan(connection, hits)):
        _carry_out(connection, plan)


def _plan(connection: psycopg.Connection, hits: Sequence[Sequence[Name]]) -> Plan:
    names = sorted({name for hit in hits for name in hit})
    rows = connection.execute(
        "SELECT i.section_id, i.keyspace, i.key, i.profile_id FROM jsonb_to_recordset(%s::jsonb)"
        " AS w(section_id int, keyspace text, key text) JOIN identifier i"
        " ON i.section_id = w.section_id AND i.keyspace = w.keyspace AND i.key = w.key",
        (_json([name._asdict() for name in names]),),
    )
    profiles = {Name(*name): profile for *name, profile in rows}
    taken: dict[int, list[str]] = {}
    for profile, keyspace in connection.execute(
        "SELECT profile_id, keyspace FROM identifier WHERE profile_id = ANY(%s) AND keyspace <> %s",
        (list(set(profiles.values())), Keyspace.WEB),
    ):
        taken.setdefault(profile, []).append(keyspace)
    return joining.plan(hits, profiles, taken)


def _carry_out(connection: psycopg.Connection, plan: Plan) -> None:
    numbers = _new_profiles(connection, {p for p in plan.made.values() if p < 0})
    made = [
        {**name._asdict(), "profile_id": numbers.get(profile, profile)}
        for name, profile in sorted(plan.made.items())
    ]
    connection.execute(
        "WITH made AS (INSERT INTO identifier (section_id, keyspace, key, profile_id)"
        " SELECT section_id, keyspace, key, profile_id FROM jsonb_to_recordset(%s::jsonb)"
        " AS w(section_id int, keyspace text, key text, profile_id bigint)"
        " ON CONFLICT DO NOTHING RETURNING profile_id, section_id)"
        " INSERT INTO profile (id, section_id) SELECT DISTINCT profile_id, section_id FROM made"
        " WHERE profile_id = ANY(%s)",
        (_json(made), list(numbers.values())),
    )
    moved = [{"old": old, "new": numbers.get(new, new)} for old, new in plan.moved.items()]
    if moved:
        connection.execute(
            "WITH moved AS (SELECT * FROM jsonb_to_recordset(%s::jsonb) AS m(old bigint,"
            " new bigint)), emptied AS (UPDATE identifier SET profile_id = new FROM moved"
            " WHERE profile_id = old)"
            " DELETE FROM profile USING moved WHERE id = old",
            (_json(moved),),
        )


def _new_profiles(connection: psycopg.Connection, numbers: set[int]) -> dict[int, int]:
    """Ids for the new profiles of a plan, by their numbers there."""
    rows = connection.execute(
        "SELECT nextval('profile_id') FROM generate_series(1, %s)", (len(numbers),)
    )
    return {number: id_ for number, (id_,) in zip(sorted(numbers), rows.fetchall(), strict=True)}


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
