"""The worker's one transaction: events, quarantine, held hits, ledger, last stream ids.

Everything that came of a batch is committed together, or nothing is. Each statement takes the
whole batch as one jsonb parameter, which was the fastest way in by the design's measurements.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg

from tracker.rules import clocks as rules
from tracker.rules.hits import MAX_TIME_MS
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.outcomes import Outcome, Reason, outcomes_of
from tracker.rules.states import QUEUED, Ended, Move, changes, day_of, moves
from tracker.stores import catalog, clocks, event_locks, held, hit_counts, identities
from tracker.stores.held import HeldRow
from tracker.stores.identities import Name


class LostPartitionError(Exception):
    """Another worker has moved a partition on since this batch was read: nothing was written."""


class StaleRulesError(Exception):
    """The rules have changed since this batch was judged by them: nothing was written."""


class EventRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A valid hit on its way to the event table; times in Unix ms, `data` as JSON.

    keyspace and key: the identifier that it is an event of, made where it is missing; joins:
    others that are its person's, if they are nobody else's; event_ms and sent_ms (0: unknown) are
    by the sender's clock; once event_ms is corrected, clock_ms says by how much.
    """

    partition: int
    id: UUID
    section_id: int
    version_id: int
    key: str
    event_ms: int
    received_ms: int
    data: msgspec.Raw
    keyspace: Keyspace = Keyspace.WEB
    page: str | None = None
    referrer: str | None = None
    claims: str | None = None
    joins: Sequence[Identity] = ()
    address: str | None = None
    agent: str | None = None
    sent_ms: int = 0
    clock_ms: int = 0

    @property
    def names(self) -> list[Name]:
        """Its identifier's, and those of all that may be joined to it."""
        identities = (Identity(self.keyspace, self.key), *self.joins)
        return [Name(self.section_id, *identity) for identity in identities]

    @property
    def clock(self) -> Name:
        """The identifier that stands for the sender's clock: a visitor has one, people many."""
        names = self.names
        return next((name for name in names if name.keyspace == Keyspace.WEB), names[0])

    @property
    def is_off(self) -> bool:
        """Whether its time may have to be corrected."""
        return rules.is_off(self.sent_ms, self.received_ms)


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
    with connection.transaction():
        event_locks.share_events(connection)
        if catalog.revision(connection) != batch.revision:
            raise StaleRulesError
        _advance(connection, batch.progress)
        released = _release(connection, batch.released)
        written = Written(
            store(connection, batch.events),
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


def store(connection: psycopg.Connection, events: Sequence[EventRow]) -> list[Outcome]:
    """Write events on their profiles, made where missing; returns what became of each."""
    if not events:
        return []
    if any(event.joins for event in events):
        proven = [event.names for event in events if event.keyspace is not Keyspace.WEB]
        identities.join(connection, proven)
    identities.make(connection, {(e.section_id, e.keyspace, e.key) for e in events})
    if any(event.is_off for event in events):
        events = _correct(connection, events)
    rows = connection.execute(
        "INSERT INTO event (id, section_id, identifier_id, version_id, event_time, received_at,"
        " sent_at, clock_ms, data, page, referrer, claims, address, agent)"
        " SELECT e.id, e.section_id, i.id, e.version_id,"
        # In two parts: to_timestamp takes a double, which blurs milliseconds of far years.
        " to_timestamp(e.event_ms / 1000) + mod(e.event_ms, 1000) * interval '1 ms',"
        " to_timestamp(e.received_ms / 1000) + mod(e.received_ms, 1000) * interval '1 ms',"
        " to_timestamp(e.sent_ms / 1000) + mod(e.sent_ms, 1000) * interval '1 ms',"
        " e.clock_ms, e.data, e.page, e.referrer, e.claims, e.address, e.agent"
        " FROM jsonb_to_recordset(%s::jsonb) AS e(id uuid, section_id int, version_id bigint,"
        " keyspace text, key text, event_ms bigint, received_ms bigint, data jsonb, page text,"
        " referrer text, claims text, address text, agent text, sent_ms bigint, clock_ms bigint)"
        # A hit whose identifier is missing fails on NOT NULL: with an inner join it would vanish.
        " LEFT JOIN identifier i ON i.section_id = e.section_id"
        " AND i.keyspace = coalesce(e.keyspace, 'web') AND i.key = e.key ORDER BY e.id"
        " ON CONFLICT DO NOTHING RETURNING section_id, id",
        (_json(events),),
        binary=True,
    )
    keys = [(event.section_id, event.id) for event in events]
    return outcomes_of(keys, set(rows.fetchall()), Outcome.STORED)


def _correct(connection: psycopg.Connection, events: Sequence[EventRow]) -> list[EventRow]:
    """The events with corrections of those whose senders' clocks are wrong, in their order.

    A time that would leave the years that can be stored stays as it was sent.
    """
    kept = clocks.read(connection, {event.clock for event in events if event.is_off})
    new: dict[Name, int] = {}
    corrected = []
    for event in events:
        if event.is_off:
            known = kept.get(event.clock)
            off = rules.estimate(event.sent_ms, event.received_ms)
            clock_ms = rules.correction(off, known)
            if clock_ms != known:
                kept[event.clock] = new[event.clock] = clock_ms
            event_ms = event.event_ms + clock_ms
            if 0 <= event_ms <= MAX_TIME_MS:
                event = msgspec.structs.replace(event, event_ms=event_ms, clock_ms=clock_ms)
        corrected.append(event)
    if new:
        clocks.keep(connection, new)
    return corrected


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
