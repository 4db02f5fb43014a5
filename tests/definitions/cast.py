"""A small named cast: the section Inn, its event Stay, and the times around an edit of it."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from redis import Redis

from tracker.actions import editing, saving
from tracker.actions.editing import Edited
from tracker.rules.definitions import Category, Draft, FieldDraft
from tracker.rules.fields import FieldType
from tracker.rules.ids import mint
from tracker.settings import Settings
from tracker.snippets import tracking
from tracker.stores import definitions, events, sections
from tracker.stores.definitions import Definition
from tracker.stores.events import EventRow

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""When Stay is created."""
EDIT = MONDAY + timedelta(hours=3)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
COOLDOWN = 3_600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SOURCE = {"key": "source", "type": "text", "required": True}
GUESTS = {"key": "guests", "type": "integer"}
NIGHTS = {"key": "nights", "type": "integer", "required": True}
STAY = Draft(
    category=Category.CONVERSIONS,
    name="Stay",
    fields=[
        FieldDraft(key="source", type=FieldType.TEXT, required=True),
        FieldDraft(key="guests", type=FieldType.INTEGER),
    ],
)


@dataclass(frozen=True)
class Inn:
    """The section's stores, and its event Stay by name, as it is at each moment."""

    settings: Settings
    db: psycopg.Connection
    redis: Redis
    section_id: int

    @property
    def stay(self) -> Definition:
        found = definitions.find(self.db, self.section_id, "stay")
        assert found is not None
        return found

    def edit(self, now: datetime, stay: Definition | None = None, **sent: Any) -> Edited:
        """Edit Stay, as it was read at some time or as it is."""
        return editing.edit(
            self.db, self.redis, stay or self.stay, sent, now=now, cooldown=COOLDOWN
        )

    def track(self, now: datetime = MONDAY) -> str:
        return tracking.switch_on(self.db, self.redis, self.stay, now)

    def visit(
        self, at: datetime, data: str = "{}", page: str | None = None, version: int = 0
    ) -> UUID:
        """Store an event of Stay, of its newest version or another, received at this time."""
        ms = (at - EPOCH) // timedelta(milliseconds=1)
        versions = {v.number: v.id for v in self.stay.versions}
        row = EventRow(
            partition=0,
            id=mint(ms, secrets.token_bytes(10)),
            section_id=self.section_id,
            version_id=versions[version or max(versions)],
            key="ann",
            event_ms=ms,
            received_ms=ms,
            data=msgspec.Raw(data.encode()),
            page=page,
        )
        with self.db.transaction():
            events.store(self.db, [row])
        return row.id

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.db.execute(query.encode(), values).fetchall()


def make_inn(settings: Settings, db: psycopg.Connection, redis: Redis) -> Inn:
    sections.create(db, "inn", "Inn", [], strict_origin=False)
    section_id = sections.choose(db, "inn").id
    saving.create(db, section_id, STAY, MONDAY)
    return Inn(settings, db, redis, section_id)
