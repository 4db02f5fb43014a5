"""A small named cast: the section Harbour with its event Booking, tracked, and its visitors."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import msgspec
import psycopg
from redis import Redis

from tests.embedded.waiting import until
from tracker.actions import auditing, editing, saving
from tracker.actions.auditing import Audit
from tracker.rules.definitions import Category, Draft, FieldDraft
from tracker.rules.fields import FieldType
from tracker.rules.hits import NOBODY, Sender
from tracker.rules.ids import mint
from tracker.settings import Settings
from tracker.snippets import tracking
from tracker.stores import database, definitions, hit_queue, queues, sections
from tracker.stores.definitions import Definition
from tracker.stores.queue_server import Queue
from worker import loop
from worker.loop import Upkeep, Worker, utc_now
from worker.partitions import Partitions, Tries
from worker.steps import STEPS, Step

BOOKING = Draft(
    category=Category.TRANSACTIONS,
    name="Booking",
    fields=[
        FieldDraft(key="source", type=FieldType.TEXT, required=True),
        FieldDraft(key="reference", type=FieldType.TEXT, required=True),
        FieldDraft(key="amount", type=FieldType.DECIMAL),
        FieldDraft(key="nights", type=FieldType.INTEGER),
    ],
)
ANN, BEN = "visitor-ann", "visitor-ben"
GOOD = {"reference": "B-1"}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_id(ms: int | None = None) -> str:
    return str(mint(now_ms() if ms is None else ms, secrets.token_bytes(10)))


def hit(visitor: str | None = ANN, **changes: Any) -> dict[str, Any]:
    """A good hit, with changes; a part changed to None is left out."""
    at = now_ms()
    whole = {"id": new_id(at), "at": at, "visitor": visitor, "data": GOOD, **changes}
    return {name: part for name, part in whole.items() if part is not None}


@dataclass(frozen=True)
class Harbour:
    """The section's stores, its event, and the snippet's key."""

    settings: Settings
    db: psycopg.Connection
    redis: Redis
    booking: Definition
    key: str

    def send(
        self,
        *hits: dict[str, Any] | bytes,
        to: int = 0,
        key: str = "",
        sent: int | None = None,
        sender: Sender = NOBODY,
    ) -> None:
        """Put hits into a partition's stream as the collector does; `sent` in Unix ms, or now."""
        packed = (
            hit_queue.pack_text(key or self.key),
            hit_queue.pack_text(str(now_ms() if sent is None else sent)),
            hit_queue.pack_sender(sender),
        )
        raws = [raw if isinstance(raw, bytes) else json.dumps(raw).encode() for raw in hits]
        commands = [hit_queue.pack_append(to, *packed, raw) for raw in raws]
        connection = self.redis.connection_pool.get_connection()
        try:
            connection.send_packed_command(commands)  # type: ignore[no-untyped-call]
            for _ in commands:
                connection.read_response()
        finally:
            self.redis.connection_pool.release(connection)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.db.execute(query.encode(), values).fetchall()

    def references(self) -> list[str]:
        """The references of all stored bookings, in the order of their storing."""
        rows = self.rows("SELECT data ->> 'reference' FROM event ORDER BY received_at, id")
        return [reference for (reference,) in rows]

    def quarantined(self) -> list[str]:
        return [reason for (reason,) in self.rows("SELECT reason FROM quarantine ORDER BY id")]

    def audit(self) -> Audit:
        with queues.connect(self.settings, self.redis) as queue:
            return auditing.audit(self.db, self.redis, queue)

    def balanced(self) -> dict[str, int]:
        """The states of all hits, after proof that nothing is queued and the books balance."""
        found = self.audit()
        assert (found.problems, found.queued) == ([], 0)
        return {str(state): hits for state, hits in found.states.items() if hits}

    def until_one_waits(self) -> None:
        """Wait until somebody waits for a lock of the database."""
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
        until(lambda: self.rows(waiting, self.db.info.dbname), "one waits for another", 20)

    def until_empty(self, seconds: float = 120) -> None:
        until(lambda: self.audit().queued == 0, "the queue is empty", seconds)


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def next_version(harbour: Harbour, usable_from: datetime) -> str:
    """Booking's next version, with the same fields; returns its snippet's key."""
    harbour.db.execute(
        "WITH made AS (INSERT INTO version (public_id, definition_id, number, fields, created_at,"
        " usable_from) SELECT 'ver_' || number + 1, definition_id, number + 1, fields, created_at,"
        " %s FROM version ORDER BY number DESC LIMIT 1 RETURNING *)"
        " INSERT INTO snippet (key, version_id, created_at)"
        " SELECT 'key-' || number, id, created_at FROM made",
        (usable_from,),
    )
    ((key,),) = harbour.rows("SELECT key FROM snippet ORDER BY version_id DESC LIMIT 1")
    return str(key)


def edited(harbour: Harbour, usable_from: datetime, **types: FieldType) -> Definition:
    """Booking's next version, with other types of some fields."""
    fields = [
        msgspec.structs.replace(field, type=types.get(field.key, field.type))
        for field in BOOKING.fields or ()
    ]
    now, read = usable_from - timedelta(hours=1), definitions.get(harbour.db, harbour.booking.id)
    sent = {"fields": msgspec.to_builtins(fields)}
    return editing.edit(harbour.db, harbour.redis, read, sent, now=now, cooldown=3_600).definition


def track(db: psycopg.Connection, redis: Redis, slug: str) -> tuple[Definition, str]:
    """A section with Booking, tracked; returns it and the snippet's key."""
    sections.create(db, slug, slug.title(), [], False)
    now = datetime.now(UTC)
    booking = saving.create(db, sections.choose(db, slug).id, BOOKING, now)
    return booking, tracking.switch_on(db, redis, booking, now)


@contextmanager
def working(settings: Settings, steps: tuple[Step, ...] = STEPS) -> Iterator[Worker]:
    """A worker that runs in a thread while the block does; what it raises is raised here."""
    worker = Worker(settings, steps)
    raised: list[BaseException] = []

    def run() -> None:
        try:
            worker.run()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    # It looks up whether it is to stop once it has waited for hits.
    with patch.object(loop, "BLOCK_MS", 20):
        thread.start()
        try:
            yield worker
        finally:
            worker.stop()
            thread.join(60)
    assert not thread.is_alive()
    if raised:
        raise raised[0]


def drain(harbour: Harbour, steps: tuple[Step, ...] = STEPS) -> None:
    """Run a worker until the queue is empty."""
    with working(harbour.settings, steps):
        harbour.until_empty()


class Hand:
    """A worker moved by hand, turn by turn, on connections of its own."""

    def __init__(
        self,
        harbour: Harbour,
        connection: psycopg.Connection,
        client: Redis,
        queue: Queue,
        steps: Sequence[Step],
        clock: Callable[[], datetime],
    ) -> None:
        self.worker = Worker(harbour.settings, tuple(steps), clock)
        self.connection, self.client, self.queue = connection, client, queue
        self.upkeep = Upkeep(connection, client, queue)
        self.upkeep.run()
        self.tries = Tries()
        self.partitions = Partitions(connection, self.tries)
        self.partitions.balance()

    def turn(self) -> None:
        """Read one batch and see it through."""
        self.worker._turn(self.connection, self.queue, self.partitions, self.upkeep.epochs)


@contextmanager
def by_hand(
    harbour: Harbour, steps: Sequence[Step] = STEPS, clock: Callable[[], datetime] = utc_now
) -> Iterator[Hand]:
    """A worker that ends with the block, as if it were killed: its partitions are free then."""
    with (
        database.connect(harbour.settings.database_url) as connection,
        hit_queue.connect(harbour.settings.redis_url) as client,
        queues.connect(harbour.settings, client) as queue,
    ):
        pid = connection.info.backend_pid
        yield Hand(harbour, connection, client, queue, steps, clock)
    # PostgreSQL hears of it a little later, and until then it counts as a worker with partitions.
    until(lambda: not harbour.rows("SELECT FROM pg_locks WHERE pid = %s", pid), "it is gone")
