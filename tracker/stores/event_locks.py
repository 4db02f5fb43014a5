"""Locks in PostgreSQL between those who write events, who erase them, and who join identifiers.

All of them last until the transaction ends. Whoever needs both takes that of events first.
"""

from collections.abc import Iterable

import psycopg

_EVENTS = 7_363
_IDENTITIES = 7_364


def share_events(connection: psycopg.Connection) -> None:
    """Write events, quarantine or held hits from here on, beside all others who do.

    What erases waits until they are done. So that nothing is written of a person who was erased
    meanwhile, read the rules, or their revision, after this call.
    """
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s, 0)", (_EVENTS,))


def take_events(connection: psycopg.Connection) -> None:
    """Be alone with events, quarantine and held hits: what an erasure needs. Workers wait."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", (_EVENTS,))


def lock_identities(connection: psycopg.Connection, section_ids: Iterable[int]) -> None:
    """Be alone in joining, merging and unmerging the identifiers of these sections.

    New identifiers on profiles of their own need no lock, but must not be made before this call:
    who waits for them may be the one who has the lock.
    """
    for section_id in sorted(set(section_ids)):
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_IDENTITIES, section_id))
