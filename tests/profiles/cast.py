"""A small named cast: the section Harbour with Booking and Poll, and Ann and Ben."""

import json
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from redis import Redis

from tracker.actions import auditing, merging, posting, saving, timelines
from tracker.actions.posting import IdempotencyKey, ItemAnswer
from tracker.actions.timelines import Timeline
from tracker.rules.definitions import Category, Draft, FieldDraft
from tracker.rules.fields import FieldType
from tracker.rules.ids import mint
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.settings import Settings
from tracker.stores import definitions, sections
from tracker.stores.definitions import Definition
from tracker.vault import Vault

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANN = Identity(Keyspace.EMAIL, "ann@example.com")
ANN_WEB = Identity(Keyspace.WEB, "visitor-ann")
ANN_CRM = Identity(Keyspace.CRM_ID, "A-1")
BEN = Identity(Keyspace.EMAIL, "ben@example.com")
BEN_WEB = Identity(Keyspace.WEB, "visitor-ben")
SOURCE = FieldDraft(key="source", type=FieldType.TEXT, required=True)
BOOKING = Draft(
    category=Category.TRANSACTIONS,
    name="Booking",
    fields=[
        SOURCE,
        FieldDraft(key="reference", type=FieldType.TEXT, required=True),
        FieldDraft(key="amount", type=FieldType.DECIMAL),
    ],
)
POLL = Draft(category=Category.SIGNALS, name="Poll", fields=[SOURCE])


def new_id(now: datetime = NOW) -> str:
    return str(mint(int(now.timestamp() * 1000), secrets.token_bytes(10)))


@dataclass(frozen=True)
class Harbour:
    """The section's stores and its events; its clock stands still at NOW."""

    settings: Settings
    db: psycopg.Connection
    redis: Redis
    id: int
    booking: Definition
    poll: Definition

    @property
    def vault(self) -> Vault:
        return Vault(self.settings)

    def on(self, connection: psycopg.Connection) -> "Harbour":
        """The same by another connection."""
        return replace(self, db=connection)

    def item(
        self, of: Definition | None = None, hours: float = 0, **changes: Any
    ) -> dict[str, Any]:
        """A good item, some hours after NOW, with changes; one changed to None is left out."""
        of = of or self.booking
        whole = {
            "event_time": (NOW + timedelta(hours=hours)).isoformat(),
            "version_id": of.versions[0].public_id,
            "data": {"reference": "B-1"} if of.slug == "booking" else {},
            **changes,
        }
        return {name: part for name, part in whole.items() if part is not None}

    def post(
        self,
        identity: Identity,
        *items: dict[str, Any] | bytes,
        key: IdempotencyKey | None = None,
        now: datetime = NOW,
    ) -> list[ItemAnswer]:
        raws = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in items]
        return posting.post(self.db, self.vault, self.id, identity, raws, now, key).items

    def show(self, identity: Identity, **how: Any) -> Timeline:
        timeline = timelines.show(self.db, self.id, *identity, **how)
        assert timeline is not None
        return timeline

    def shown(self, identity: Identity, **how: Any) -> list[UUID]:
        """The ids of the events of a page of the timeline."""
        return [event.id for event in self.show(identity, **how).events]

    def merge(self, first: Identity, second: Identity) -> bool:
        return merging.merge(self.db, self.vault, self.id, (first, second), "the crm", NOW)

    def unmerge(self, identity: Identity) -> None:
        merging.unmerge(self.db, self.vault, self.id, identity, "the crm", NOW)

    def known_as(self, identity: Identity) -> list[tuple[str, str]]:
        """The identifiers of a profile."""
        return [(one.keyspace, one.key) for one in self.show(identity).identifiers]

    def erase(self, identity: Identity) -> None:
        """Leave of an identifier what an erasure does."""
        self.db.execute("DELETE FROM identifier WHERE key = %s", (identity.key,))
        self.db.execute(
            "INSERT INTO erased (section_id, hash, erased_at) VALUES (%s, %s, %s)",
            (self.id, self.vault.erased_hash(self.id, identity), NOW),
        )

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.db.execute(query.encode(), values).fetchall()

    def balanced(self) -> dict[str, int]:
        """The states of all events, after proof that the books balance."""
        found = auditing.audit(self.db, self.redis)
        assert found.problems == []
        return {str(state): hits for state, hits in found.states.items() if hits}


def make_harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    """The section Harbour, with two events that were saved a day before NOW."""
    sections.create(db, "harbour", "Harbour", [], False)
    section = sections.choose(db, "harbour")
    booking, poll = (
        saving.create(db, section.id, d, NOW - timedelta(days=1)) for d in (BOOKING, POLL)
    )
    return Harbour(settings, db, redis, section.id, booking, poll)


def edit(harbour: Harbour, usable_from: datetime) -> Definition:
    """Give Booking a version 2 with the same fields; returns it anew."""
    harbour.db.execute(
        "INSERT INTO version (public_id, definition_id, number, fields, created_at, usable_from)"
        " SELECT 'ver_2', definition_id, 2, fields, created_at, %s FROM version WHERE id = %s",
        (usable_from, harbour.booking.versions[0].id),
    )
    found = definitions.find(harbour.db, harbour.id, "booking")
    assert found is not None
    return found
