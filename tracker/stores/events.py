"""Events on their way into the event table, on identifiers that are made where they are missing."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
import psycopg

from tracker.rules import clocks as rules
from tracker.rules.hits import MAX_TIME_MS
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.outcomes import Outcome, outcomes_of
from tracker.stores import clocks, identities
from tracker.stores.identities import Name


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
        (msgspec.json.encode(events).decode(),),
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
