"""Profiles and the identifiers that they are known by, in PostgreSQL."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec
import psycopg

from tracker.rules.keyspaces import Identity, Keyspace
from tracker.stores import identities as identities_
from tracker.stores.identities import Name

EVERY_KEYSPACE = frozenset(Keyspace)
_KEYSPACES: dict[str, Keyspace] = {keyspace.value: keyspace for keyspace in Keyspace}


class Identifier(msgspec.Struct, frozen=True):
    """A key in a keyspace that a profile is known by."""

    keyspace: str
    key: str

    def names(self, identity: Identity) -> bool:
        return (self.keyspace, self.key) == identity


class Profile(msgspec.Struct, frozen=True):
    """A person's identifiers by their ids, the oldest first."""

    id: int
    created_at: datetime
    identifiers: dict[int, Identifier]

    @property
    def names(self) -> set[Identity]:
        return {Identity(_KEYSPACES[one.keyspace], one.key) for one in self.identifiers.values()}

    def id_of(self, identity: Identity) -> int:
        """The id of one of its identifiers."""
        return next(id_ for id_, one in self.identifiers.items() if one.names(identity))

    def seen_by(self, keyspaces: Collection[Keyspace]) -> list[Identifier]:
        """The identifiers in these keyspaces."""
        return [one for one in self.identifiers.values() if one.keyspace in keyspaces]


def find(
    connection: psycopg.Connection, section_id: int, keyspace: str, key: str
) -> Profile | None:
    """The profile that an identifier belongs to."""
    condition = "i.section_id = %s AND i.keyspace = %s AND i.key = %s"
    return _whole(connection, condition, section_id, keyspace, key)


def of_identifier(connection: psycopg.Connection, identifier_id: int) -> Profile | None:
    """The profile that an identifier belongs to, by the identifier's id."""
    return _whole(connection, "i.id = %s", identifier_id)


def _whole(connection: psycopg.Connection, condition: str, *values: object) -> Profile | None:
    query = (
        "SELECT p.id, p.created_at, o.id, o.keyspace, o.key FROM identifier i"  # noqa: S608
        " JOIN profile p ON p.id = i.profile_id JOIN identifier o ON o.profile_id = p.id"
        f" WHERE {condition} ORDER BY o.id"
    )
    rows = connection.execute(query.encode(), values).fetchall()
    if not rows:
        return None
    identifiers = {id_: Identifier(keyspace, key) for _, _, id_, keyspace, key in rows}
    return Profile(rows[0][0], rows[0][1], identifiers)


def recent(connection: psycopg.Connection, section_id: int) -> list[tuple[Identifier, datetime]]:
    """Identifiers of the section that were made last, with when."""
    rows = connection.execute(
        "SELECT keyspace, key, created_at FROM identifier WHERE section_id = %s"
        " ORDER BY id DESC LIMIT 20",
        (section_id,),
    )
    return [(Identifier(keyspace, key), made) for keyspace, key, made in rows]


def ensure(
    connection: psycopg.Connection, section_id: int, identities: Iterable[Identity]
) -> dict[Identity, int]:
    """The ids of these identifiers; missing ones are made, each on a new profile of its own."""
    names = {Name(section_id, *identity): identity for identity in identities}
    ids = identities_.ids(connection, names.keys())
    return {identity: ids[name] for name, identity in names.items()}


def any_erased(connection: psycopg.Connection, section_id: int, hashes: Sequence[bytes]) -> bool:
    """Whether one of these keyed hashes is of an erased identifier."""
    rows = connection.execute(
        "SELECT FROM erased WHERE section_id = %s AND hash = ANY(%s) LIMIT 1",
        (section_id, list(hashes)),
    )
    return rows.fetchone() is not None
