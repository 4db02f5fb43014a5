"""The worker's one transaction: events, quarantine, held hits, ledger, last stream ids.

Everything that came of a batch is committed together, or nothing is. Events go in by binary COPY
(events.py); the rest is little, and each statement takes all of it as one jsonb parameter.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg.errors import UniqueViolation

from tracker.rules.outcomes import Outcome, Reason, outcomes_of
from tracker.rules.states import QUEUED, Ended, Move, changes, day_of, moves
from tracker.stores import catalog, event_locks, events, held, hit_counts
from tracker.stores.database import CONFLICTS, again
from tracker.stores.events import EventRow
from tracker.stores.held import HeldRow


class LostPartitionError(Exception):
    """Another worker has moved a partition on since this batch was read: nothing was written."""


class StaleRulesError(Exception):
    """The rules have changed since this batch was judged by them: nothing was written."""


class QuarantineRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rejected hit on its way to the quarantine; `raw` is written as base64."""

    partition: int
    snippet_key: str
    reason: Reason
    errors: msgspec.Raw
    raw: bytes
    sent: int
    received_ms: int
    section_id: int | None = None
    version_id: int | None = None
    hit_id: UUID | None = None
    address: str | None = None
    agent: str | None = None
    tag: str | None = None


class Progress(msgspec.Struct, frozen=True):
    """How far a batch moves a partition's last stream id, over how many hits."""

    number: int
    old: str
    new: str
    hits: int


class Dropped(NamedTuple):
    """A hit that leaves no row; version_id None: of no version that is known."""

    partition: int
    version_id: int | None
    received_ms: int
    reason: Reason


class Batch(msgspec.Struct, frozen=True):
    """What the steps made of the hits that were read together, by the rules of a revision.

    They come from the queue, where they make `progress`, or are held ones, whose ids `released`
    has.
    """

    revision: int
    progress: Sequence[Progress]
    released: Sequence[int]
    events: list[EventRow]
    held: list[HeldRow]
    quarantined: list[QuarantineRow]
    dropped: list[Dropped]


class Written(NamedTuple):
    """What became of a batch's rows, in their order: as they were to end, or duplicates."""

    events: list[Outcome]
    held: list[Outcome]
    quarantined: list[Outcome]


def commit(connection: psycopg.Connection, batch: Batch) -> Written:
    """Write the batch in one transaction.

    Raises LostPartitionError, StaleRulesError, and psycopg.Error for what PostgreSQL refuses.
    """
    # Somebody else has stored one of the events just now: to the next try it is a duplicate.
    # Or joins identifiers that this one makes, and the other way round.
    return again(lambda: _commit(connection, batch), UniqueViolation, *CONFLICTS)


def _commit(connection: psycopg.Connection, batch: Batch) -> Written:
    with connection.transaction():
        event_locks.share_events(connection)
        if catalog.revision(connection) != batch.revision:
            raise StaleRulesError
        _advance(connection, batch.progress)
        released = _release(connection, batch.released)
        written = Written(
            events.store(connection, batch.events),
            held.add(connection, batch.held),
            _quarantine(connection, batch.quarantined),
        )
        origin = Outcome.HELD if batch.released else QUEUED
        ends = _ends(batch, written)
        count(connection, moves(ends, origin))
        hit_counts.add(connection, changes(ends, released))
    return written


def _ends(batch: Batch, written: Written) -> Counter[Ended]:
    """How many hits came to what, for the ledger and the charts."""
    # Plain tuples first: there are far fewer ends than hits, and each Ended takes time to make.
    ends: Counter[tuple[int, int | None, int, str, str]] = Counter()
    for event, outcome in zip(batch.events, written.events, strict=True):
        ends[event.partition, event.version_id, day_of(event.received_ms), outcome, ""] += 1
    for row, outcome in zip(batch.held, written.held, strict=True):
        ends[row.partition, row.version_id, day_of(row.received_ms), outcome, ""] += 1
    for bad, outcome in zip(batch.quarantined, written.quarantined, strict=True):
        reason = bad.reason if outcome is Outcome.QUARANTINED else ""
        ends[bad.partition, bad.version_id, day_of(bad.received_ms), outcome, reason] += 1
    for partition, version_id, received_ms, why in batch.dropped:
        ends[partition, version_id, day_of(received_ms), Outcome.DROPPED, why] += 1
    return Counter({Ended(*end): hits for end, hits in ends.items()})


def _advance(connection: psycopg.Connection, progress: Sequence[Progress]) -> None:
    if not progress:
        return
    moved = connection.execute(
        "UPDATE hit_partition p SET last_id = b.new, counted = counted + b.hits,"
        " tries = 0, suspect_id = NULL"
        " FROM jsonb_to_recordset(%s::jsonb) AS b(number int, old text, new text, hits int)"
        " WHERE p.number = b.number AND p.last_id = b.old",
        (_json(progress),),
    )
    if moved.rowcount != len(progress):
        raise LostPartitionError


def _release(connection: psycopg.Connection, ids: Sequence[int]) -> Counter[Ended]:
    released = held.remove(connection, ids)
    if released.total() != len(ids):
        raise LostPartitionError
    return released


def _quarantine(connection: psycopg.Connection, rows: Sequence[QuarantineRow]) -> list[Outcome]:
    """Keep rejected hits; one that is kept already was sent again, and is a duplicate."""
    if not rows:
        return []
    kept = _kept_without_section(connection, rows)
    new = connection.execute(
        "INSERT INTO quarantine (partition, section_id, version_id, snippet_key,"
        " hit_id, reason, errors, raw, sent, received_at, address, agent, tag)"
        " SELECT partition, section_id, version_id, snippet_key, hit_id, reason, errors,"
        " decode(raw, 'base64'), sent,"
        " to_timestamp(received_ms / 1000) + mod(received_ms, 1000) * interval '1 ms',"
        " address, agent, tag"
        " FROM jsonb_to_recordset(%s::jsonb) AS q(partition int, section_id int,"
        " version_id bigint, snippet_key text, hit_id uuid, reason text, errors jsonb, raw text,"
        " sent bigint, received_ms bigint, address text, agent text, tag text)"
        " ON CONFLICT DO NOTHING RETURNING section_id, snippet_key, hit_id",
        (_json(_first_of(rows, kept)),),
    )
    added = {(section_id or key, hit_id) for section_id, key, hit_id in new.fetchall()}
    return outcomes_of(map(_known_by, rows), added, Outcome.QUARANTINED)


def _known_by(row: QuarantineRow) -> tuple[object, UUID | None]:
    """What makes a rejected hit the same as another: within its section, if it has one."""
    return row.section_id or row.snippet_key, row.hit_id


def _kept_without_section(
    connection: psycopg.Connection, rows: Sequence[QuarantineRow]
) -> set[tuple[object, UUID | None]]:
    """Those of no section that are in quarantine already.

    They have no section, which makes every row unique to PostgreSQL. One worker at a time has a
    visitor's hits, so that looking first is enough.
    """
    ids = [row.hit_id for row in rows if row.section_id is None and row.hit_id]
    if not ids:
        return set()
    kept = connection.execute(
        "SELECT snippet_key, hit_id FROM quarantine WHERE section_id IS NULL AND hit_id = ANY(%s)",
        (ids,),
    )
    return set(kept.fetchall())


def _first_of(
    rows: Sequence[QuarantineRow], kept: set[tuple[object, UUID | None]]
) -> list[QuarantineRow]:
    """The rows to write: of no section, only those that are not kept, and each of these once."""
    seen = set(kept)
    new = []
    for row in rows:
        if row.section_id is None and row.hit_id:
            if _known_by(row) in seen:
                continue
            seen.add(_known_by(row))
        new.append(row)
    return new


def count(connection: psycopg.Connection, new: Counter[Move]) -> None:
    """Add moves to the ledger."""
    connection.execute(
        "INSERT INTO ledger (partition, from_state, to_state, reason, hits)"
        " SELECT * FROM jsonb_to_recordset(%s::jsonb)"
        " AS m(partition int, from_state text, to_state text, reason text, hits bigint)"
        " ON CONFLICT (partition, from_state, to_state, reason)"
        " DO UPDATE SET hits = ledger.hits + excluded.hits",
        (_json([{**move._asdict(), "hits": hits} for move, hits in sorted(new.items())]),),
    )


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
