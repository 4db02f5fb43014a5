"""Merging profiles that are one person's, and taking an identifier out again."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg

from tracker.actions.refusals import ErasedError, RefusedError
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.stores import event_locks, merges, profiles
from tracker.stores.merges import Kind
from tracker.stores.profiles import Profile
from tracker.vault import Vault


class RefusedMergeError(RefusedError):
    """The profiles are two people's: they have different values in one-value `keyspaces`."""

    def __init__(self, keyspaces: list[Keyspace]) -> None:
        super().__init__(
            f"The profiles have different values of {', '.join(keyspaces)}: they stay two.\n"
            "If it is one person all the same, take an identifier out first: pintag profile unmerge"
        )
        self.keyspaces = keyspaces


class NoProfileError(RefusedError):
    """No profile has this identifier."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(f"No profile has the {identity.keyspace} {identity.key!r}.")


class OnlyIdentifierError(RefusedError):
    """The profile has no other identifier, so there is nothing to take this one out of."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(
            f"The {identity.keyspace} {identity.key!r} is its profile's only identifier:"
            " there is nothing to take it out of."
        )


def merge(
    connection: psycopg.Connection,
    vault: Vault,
    section_id: int,
    identities: tuple[Identity, Identity],
    made_by: str,
    now: datetime,
) -> bool:
    """Merge the second's profile into the first's; missing ones are made. False: they are one.

    A merge that the one-value keyspaces forbid is recorded, too.
    Raises RefusedMergeError and ErasedError.
    """
    with _locked(connection, vault, section_id, identities):
        ids = profiles.ensure(connection, section_id, identities)
        first, second = (_profile(connection, section_id, identity) for identity in identities)
        if first.id == second.id:
            return False
        clashes = _clashes(first, second)
        kind = Kind.REFUSED if clashes else Kind.MERGED
        pair = ids[identities[0]], ids[identities[1]]
        merges.record(connection, section_id, kind, pair, made_by, now)
        if not clashes:
            merges.join(connection, first.id, second.id)
    if clashes:  # not before the record is committed
        raise RefusedMergeError(clashes)
    return True


def unmerge(
    connection: psycopg.Connection,
    vault: Vault,
    section_id: int,
    identity: Identity,
    made_by: str,
    now: datetime,
) -> None:
    """Take an identifier, with the events that came by it, out to a profile of its own.

    Raises NoProfileError, OnlyIdentifierError and ErasedError.
    """
    with _locked(connection, vault, section_id, [identity]):
        profile = _profile(connection, section_id, identity)
        own = profile.id_of(identity)
        others = [id_ for id_ in profile.identifiers if id_ != own]
        if not others:
            raise OnlyIdentifierError(identity)
        merges.take_out(connection, section_id, own, now)
        merges.record(connection, section_id, Kind.UNMERGED, (own, others[0]), made_by, now)


@contextmanager
def _locked(
    connection: psycopg.Connection, vault: Vault, section_id: int, identities: Iterable[Identity]
) -> Iterator[None]:
    """A transaction alone with the section's identifiers, none of these erased."""
    with connection.transaction():
        event_locks.share_events(connection)
        event_locks.lock_identities(connection, [section_id])
        for identity in identities:
            hash_ = vault.erased_hash(section_id, identity)
            if profiles.any_erased(connection, section_id, [hash_]):
                raise ErasedError(identity)
        yield


def _profile(connection: psycopg.Connection, section_id: int, identity: Identity) -> Profile:
    profile = profiles.find(connection, section_id, *identity)
    if profile is None:
        raise NoProfileError(identity)
    return profile


def _clashes(first: Profile, second: Profile) -> list[Keyspace]:
    """The keyspaces of which both have a value, though a profile has only one."""
    both = {one.keyspace for one in first.identifiers.values()} & {
        one.keyspace for one in second.identifiers.values()
    }
    return [keyspace for keyspace in Keyspace if not keyspace.many and keyspace in both]
