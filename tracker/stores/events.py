"""Events on their way into the event table, on identifiers that are made where they are missing."""

from collections.abc import Sequence
from struct import Struct
from uuid import UUID

import msgspec
import psycopg

from tracker.rules import clocks as rules
from tracker.rules.hits import MAX_TIME_MS
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.outcomes import Outcome
from tracker.stores import binary, clocks, identities
from tracker.stores.binary import NULL, bigint, jsonb, microseconds, text
from tracker.stores.identities import Name

_Key = tuple[int, bytes]
"""What makes an event the same as another: its section, and its id's bytes."""


class EventRow(msgspec.Struct, frozen=True, gc=False):
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


def store(connection: psycopg.Connection, events: Sequence[EventRow]) -> list[Outcome]:
    """Write events on their profiles, made where missing; returns what became of each.

    Raises psycopg.errors.UniqueViolation when somebody else has stored one of them after this
    looked: roll back, and store them again.
    """
    if not events:
        return []
    if any(event.joins for event in events):
        proven = [event.names for event in events if event.keyspace is not Keyspace.WEB]
        identities.join(connection, proven)
    names = [(event.section_id, event.keyspace, event.key) for event in events]
    identifiers = identities.ids(connection, set(names))
    if any(event.is_off for event in events):
        events = _correct(connection, events)
    keys = [(event.section_id, event.id.bytes) for event in events]
    known = _stored(connection, keys)
    rows: list[tuple[bytes, bytes]] = []
    outcomes = []
    for key, name, event in zip(keys, names, events, strict=True):
        if key in known:
            outcomes.append(Outcome.DUPLICATE)
            continue
        known.add(key)
        rows.append((key[1], _row(event, key[1], identifiers[name])))
        outcomes.append(Outcome.STORED)
    if rows:
        rows.sort()  # in the order that all have who write events, and that indexes like
        binary.copy(connection, _COPY, (row for _, row in rows))
    return outcomes


def _stored(connection: psycopg.Connection, keys: Sequence[_Key]) -> set[_Key]:
    """Those of the events that are stored already."""
    ids = [id_ for _, id_ in keys]
    first, last = UUID(bytes=min(ids)), UUID(bytes=max(ids))
    rows = connection.execute(
        # By the bounds alone PostgreSQL sees which weeks it need not look into.
        "SELECT section_id, id FROM event WHERE id = ANY(%s) AND section_id = ANY(%s)"
        " AND id >= %s AND id <= %s",
        (binary.uuids(ids), binary.ints([*{section for section, _ in keys}]), first, last),
        binary=True,
    )
    return {(section_id, id_.bytes) for section_id, id_ in rows}


_COPY = (
    b"COPY event (id, section_id, identifier_id, version_id, event_time, received_at, sent_at,"
    b" clock_ms, data, page, referrer, claims, address, agent) FROM STDIN (FORMAT binary)"
)
_fixed = Struct("!hi16siiiqiqiqiq").pack
"""How many columns a row has; then the first six of them, each with its length."""


def _row(event: EventRow, id_: bytes, identifier_id: int) -> bytes:
    """The event as a row of _COPY."""
    return b"".join(
        (
            _fixed(
                14,
                16,
                id_,
                4,
                event.section_id,
                8,
                identifier_id,
                8,
                event.version_id,
                8,
                microseconds(event.event_ms),
                8,
                microseconds(event.received_ms),
            ),
            bigint(microseconds(event.sent_ms)) if event.sent_ms else NULL,
            bigint(event.clock_ms) if event.clock_ms else NULL,
            jsonb(memoryview(event.data)),
            text(event.page),
            text(event.referrer),
            text(event.claims),
            text(event.address),
            text(event.agent),
        )
    )


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
