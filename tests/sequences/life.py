"""One section's life, moved by rules in any order, on real stores and a clock of its own."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from redis import Redis

from tests.worker.cast import Hand, by_hand, hit
from tests.worker.cast import Harbour as Stores
from tracker.actions import editing, hiding, saving
from tracker.actions.refusals import RefusedError
from tracker.rules.definitions import Category, Draft, FieldDraft
from tracker.rules.fields import FieldType
from tracker.rules.hits import partition_of
from tracker.settings import Settings
from tracker.snippets import tracking
from tracker.stores import definitions, quarantine, sections
from tracker.stores.definitions import Definition
from worker.context import Context
from worker.replay import replay_batch

VALUES: dict[FieldType, Any] = {
    FieldType.TEXT: "a text",
    FieldType.BOOLEAN: True,
    FieldType.DATE: "2026-11-23",
    FieldType.TIMESTAMP: 1_795_422_600,
    FieldType.INTEGER: 7,
    FieldType.DECIMAL: "12.50",
}
KEYS = ("a", "b", "c")


class Life:
    """What can be done, and what the invariants ask; nothing here knows what should come of it."""

    def __init__(self, stores: Stores, hand: Hand, slug: str, now: datetime) -> None:
        self.stores, self.hand = stores, hand
        sections.create(stores.db, slug, slug, [], False)
        self.section = sections.choose(stores.db, slug)
        self.now = now
        self.ids: list[int] = []
        self.hidden: set[int] = set()
        self.sent: list[tuple[str, dict[str, Any]]] = []

    @property
    def db(self) -> psycopg.Connection:
        return self.stores.db

    def definitions(self) -> list[Definition]:
        return [definitions.get(self.db, id_) for id_ in self.ids]

    # -- what people do

    def create(self, types: list[FieldType]) -> None:
        fields = [FieldDraft(key="source", type=FieldType.TEXT, required=True)]
        fields += [FieldDraft(key=key, type=t) for key, t in zip(KEYS, types, strict=False)]
        name = f"Event {len(self.ids)}"
        draft = Draft(category=Category.SIGNALS, name=name, fields=fields)
        self.ids.append(saving.create(self.db, self.section.id, draft, self.now).id)

    def edit(self, definition: Definition, changes: dict[str, Any]) -> bool:
        """Whether the edit was saved."""
        try:
            done = editing.edit(
                self.db, self.stores.redis, definition, changes, now=self.now, cooldown=3600
            )
        except RefusedError:
            return False
        return bool(done.changes)

    def hide(self, definition: Definition) -> None:
        hiding.hide(self.db, self.stores.redis, definition, now=self.now)
        self.hidden.add(definition.id)

    def track(self, definition: Definition, on: bool) -> None:
        if not on:
            tracking.switch_off(self.db, self.stores.redis, definition)
        elif not definition.hidden_at:
            tracking.switch_on(self.db, self.stores.redis, definition, self.now)

    # -- what pages do

    def snippets(self) -> list[tuple[str, int]]:
        """Every snippet's key and version id, of retired ones, too."""
        return [
            (key, version_id)
            for key, version_id in self.stores.rows(
                "SELECT s.key, s.version_id FROM snippet s JOIN version v ON v.id = s.version_id"
                " JOIN definition d ON d.id = v.definition_id WHERE d.section_id = %s"
                " ORDER BY v.id, s.created_at, s.key",
                self.section.id,
            )
        ]

    def fitting(self, version_id: int) -> dict[str, Any]:
        """Data that fits a version."""
        versions = [v for d in self.definitions() for v in d.versions]
        fields = next(v.fields for v in versions if v.id == version_id)
        return {f.key: VALUES[f.type] for f in fields if f.key != "source"}

    def send(self, key: str, visitor: str | None, data: dict[str, Any]) -> None:
        self._queue(key, hit(visitor, data=data))

    def send_again(self, number: int) -> None:
        if self.sent:
            self._queue(*self.sent[number % len(self.sent)])

    def _queue(self, key: str, sent: dict[str, Any]) -> None:
        raw = json.dumps(sent).encode()
        self.stores.send(raw, to=partition_of(raw, 8), key=key)
        self.sent.append((key, sent))

    # -- what the worker does

    def work(self) -> None:
        """Until nothing is queued, and no held hit is due."""
        # In it the worker also hears of hits that a replay has held.
        self.hand.upkeep.run()
        self.hand.turn()
        while self.stores.audit().queued or self._due():
            self.hand.turn()

    def _due(self) -> bool:
        rows = self.stores.rows("SELECT FROM held WHERE due_at <= %s LIMIT 1", self.now)
        return bool(rows)

    def replay(self) -> None:
        context = Context(self.stores.settings)
        context.refresh(self.db)
        context.now = self.now
        replay_batch(self.db, context, quarantine.matching(self.db, [], None), False)

    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)


@contextmanager
def lives(settings: Settings, db: psycopg.Connection, redis: Redis) -> Iterator[Callable[[], Life]]:
    """Makes lives, one after the other, on the same stores: each is a section of its own."""
    made: list[Life] = []
    stores = Stores(settings, db, redis, None, "")  # type: ignore[arg-type]

    def clock() -> datetime:
        return made[-1].now if made else datetime.now(UTC)

    def begin() -> Life:
        made.append(Life(stores, hand, f"life-{len(made)}", clock()))
        return made[-1]

    with by_hand(stores, clock=clock) as hand:
        yield begin
