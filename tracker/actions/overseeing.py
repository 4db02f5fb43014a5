"""All figures of an installation at once, for its operators: the page, the metrics, the terminal.

Each server is asked once, and what one of them can't say while it is away does not hide what the
other says. Nothing here counts rows: the ledger has done that.
"""

import threading
import time
from collections import Counter, deque
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import psycopg
import redis

import tracker
from tracker.actions import auditing
from tracker.rules.outcomes import Outcome
from tracker.rules.states import QUEUED, Move, state_counts
from tracker.rules.verdicts import Signs, Verdict, sink, verdict
from tracker.stores import (
    database,
    held,
    jobs,
    key_table,
    ledger,
    losses,
    processes,
    queue_epochs,
    servers,
)
from tracker.stores.database import Connect
from tracker.stores.hit_queue import Waiting
from tracker.stores.jobs import Listed
from tracker.stores.processes import Report, Reported
from tracker.stores.queue_server import Queue
from tracker.stores.servers import Postgres, RedisServer

FRESH_SECONDS = 1.0
"""Whoever asks again within this gets the same answer: storms of scraping cost nothing."""
THERE_SECONDS, FIGURES_SECONDS = 0.8, 5.0
"""In which PostgreSQL has to answer anything at all, and then all that is asked."""


class InDatabase(msgspec.Struct, frozen=True):
    """What PostgreSQL says; schema None: it was never migrated."""

    server: Postgres
    schema: str | None
    epochs: dict[int, str]
    last_ids: dict[int, str]
    moves: Counter[Move]
    held_due: datetime | None


class InRedis(msgspec.Struct, frozen=True):
    """What Redis says; jobs None: it would not let RQ look."""

    server: RedisServer
    partitions: int
    processes: list[Report]
    refused: dict[str, int]
    lost: int
    jobs: list[Listed] | None
    audit: auditing.Run | None
    errors: list[Reported]


class InQueue(msgspec.Struct, frozen=True):
    """What the hit queue says.

    servers: those that it is on and can be asked, by address; away: nodes of a cluster that can't,
    and why; stopped: the partitions on them, which `waiting` leaves out.
    """

    servers: dict[str, RedisServer]
    away: dict[str, str]
    epochs: dict[int, str]
    waiting: list[Waiting]
    stopped: list[int]


class Overview(msgspec.Struct, frozen=True):
    """The installation at one moment; `away`: servers that can't be asked, and why.

    Of a cluster, the nodes that can't be asked are in `queue`.
    """

    at: datetime
    version: str
    redis: InRedis | None
    queue: InQueue | None
    database: InDatabase | None
    away: dict[str, str]

    @property
    def at_ms(self) -> int:
        return int(self.at.timestamp() * 1000)

    @property
    def all_away(self) -> dict[str, str]:
        """Servers and nodes that can't be asked, and why."""
        nodes = self.queue.away if self.queue else {}
        return {**self.away, **{f"The node {node}": why for node, why in nodes.items()}}

    @property
    def verdict(self) -> Verdict:
        return verdict(self.signs)

    @property
    def sink(self) -> Verdict | None:
        """Why what is accepted does not get stored; None where it does."""
        return sink(self.signs)

    @property
    def signs(self) -> Signs:
        """What the verdict goes by."""
        there, queue, base = self.redis, self.queue, self.database
        if there is None or queue is None:
            return Signs(
                redis_away=there is None,
                database_away=base is None,
                queue_away=there is not None,
                queue_there=queue is not None,
            )
        collectors = self.running("collector")
        ready = [one for one in collectors if one.figure("connected") and one.figure("partitions")]
        return Signs(
            database_away=base is None,
            stopped=len(queue.stopped),
            memory=max((server.share for server in queue.servers.values()), default=0.0),
            writes=all(server.writes for server in queue.servers.values()),
            persists=all(server.persists for server in queue.servers.values()),
            foreign=base is not None and bool(queue_epochs.foreign(base.epochs, queue.epochs)),
            schema=base is None or base.schema == database.newest_revision(),
            collectors=len(collectors),
            ready=len(ready),
            refusing=sum(one.figure("full") > 0 for one in collectors),
            workers=len(self.running("worker")),
            silent=sum(one.kind == "worker" for one in there.processes)
            - len(self.running("worker")),
            jobs=len(self.running("jobs")),
            queued=self.queued,
            waiting=self.waiting,
        )

    def running(self, kind: str) -> list[Report]:
        """The processes of a kind that reported lately."""
        found = self.redis.processes if self.redis else []
        return [one for one in found if one.kind == kind and not one.is_silent(self.at_ms)]

    def rate(self, kind: str) -> float:
        """Hits a second over the last minute, of all running processes of a kind."""
        return sum(one.figure("hits/s") for one in self.running(kind))

    @property
    def accepted(self) -> int:
        """Hits that the queue ever took in this epoch, by Redis's own count."""
        return sum(part.added for part in self.queue.waiting) if self.queue else 0

    @property
    def queued(self) -> int:
        return sum(part.queued for part in self.queue.waiting) if self.queue else 0

    @property
    def waiting(self) -> float | None:
        """For how many seconds the oldest queued hit waits."""
        found = self.queue.waiting if self.queue else []
        return max((part.seconds for part in found if part.seconds is not None), default=None)

    @property
    def first(self) -> Counter[tuple[str, str]]:
        """What hits came to first, by outcome and reason; these never fall."""
        counts: Counter[tuple[str, str]] = Counter()
        for move, hits in self._moves.items():
            if move.from_state == QUEUED:
                counts[str(move.to_state), move.reason] += hits
        return counts

    @property
    def committed(self) -> int:
        """Hits with an outcome."""
        return self.first.total()

    @property
    def later(self) -> Counter[Move]:
        """What became of hits and events after that: released, replayed, erased and so on."""
        later = {m: hits for m, hits in self._moves.items() if m.from_state != QUEUED}
        return Counter(later)

    @property
    def states(self) -> Counter[str]:
        """How many hits are in each state."""
        return state_counts(self._moves)

    @property
    def held(self) -> int:
        return self.states[Outcome.HELD]

    @property
    def quarantined(self) -> int:
        return self.states[Outcome.QUARANTINED]

    @property
    def _moves(self) -> Counter[Move]:
        return self.database.moves if self.database else Counter()


def look(connect: Connect, client: redis.Redis, queue: Queue) -> Overview:
    """Ask all servers; raises nothing where they are away."""
    at, away = datetime.now(UTC), {}
    base, there, queued = None, None, None
    try:
        with connect() as connection:
            base = _in_database(connection, apart=queue.apart)
    except psycopg.Error as error:
        away["PostgreSQL"] = _why(error)
    try:
        there = _in_redis(client, at)
    except (redis.RedisError, OSError) as error:
        away["Redis"] = _why(error)
    if there or queue.elsewhere:
        try:
            queued = _in_queue(queue, _last_ids(base, there))
        except (redis.RedisError, OSError) as error:
            away["The hit queue"] = _why(error)
    return Overview(at, tracker.__version__, there, queued, base, away)


def _last_ids(base: InDatabase | None, there: InRedis | None) -> dict[int, str]:
    """How far all partitions are; while the database is away, none of them is anywhere."""
    if base and base.last_ids:
        return base.last_ids
    return dict.fromkeys(range(there.partitions if there else 0), "0-0")


def _in_database(connection: psycopg.Connection, *, apart: bool) -> InDatabase:
    with database.answered_within(connection, THERE_SECONDS):
        schema = database.revision(connection)
    with database.answered_within(connection, FIGURES_SECONDS):
        return _figures(connection, schema, apart=apart)


def _figures(connection: psycopg.Connection, schema: str | None, *, apart: bool) -> InDatabase:
    server = servers.of_postgresql(connection)
    if schema is None:
        return InDatabase(server, schema, {}, {}, Counter(), None)
    return InDatabase(
        server,
        schema,
        queue_epochs.current(connection, apart=apart),
        ledger.last_ids(connection),
        ledger.moves(connection),
        held.first_due(connection),
    )


def _in_redis(client: redis.Redis, at: datetime) -> InRedis:
    now_ms = int(at.timestamp() * 1000)
    return InRedis(
        servers.of_redis(client),
        key_table.partitions(client),
        processes.current(client, now_ms),
        key_table.refusals(client),
        losses.total(client),
        _jobs(client),
        auditing.last_run(client),
        processes.errors(client, now_ms),
    )


def _in_queue(queue: Queue, last_ids: dict[int, str]) -> InQueue:
    waiting, epochs = queue.waiting(last_ids), queue.epochs(last_ids)
    stopped = last_ids.keys() - {part.partition for part in waiting}
    there = {}
    for address, client in queue.clients().items():
        with suppress(redis.RedisError, OSError):  # a node that is away from this moment on
            there[address] = servers.of_redis(client)
    return InQueue(there, queue.away, epochs, waiting, sorted(stopped))


def _jobs(client: redis.Redis) -> list[Listed] | None:
    """RQ tidies up as it looks, which a Redis that takes no writes refuses."""
    try:
        return jobs.current(client)
    except redis.ResponseError:
        return None


def _why(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class Sample(msgspec.Struct, frozen=True):
    """What is drawn over time."""

    at_ms: int
    accepted: int
    queued: int
    memory: int


class Oversight:
    """The web process's eye on the installation: one overview a second for all who ask.

    history: the last ten minutes, a sample every five seconds, for as long as this process runs.
    """

    def __init__(self, connect: Connect, client: redis.Redis, queue: Queue) -> None:
        self._connect, self._client, self._queue = connect, client, queue
        self._lock = threading.Lock()
        self._seen: Overview | None = None
        self._until = 0.0
        self.history: deque[Sample] = deque(maxlen=120)

    def overview(self) -> Overview:
        """As of now, or of the last second."""
        with self._lock:
            if self._seen is None or time.monotonic() >= self._until:
                self._seen = look(self._connect, self._client, self._queue)
                self._until = time.monotonic() + FRESH_SECONDS
            return self._seen

    def sample(self, client: redis.Redis) -> None:
        """Add to the history, if all of the queue can be asked; the database is not."""
        try:
            parts = dict.fromkeys(range(key_table.partitions(client)), "0-0")
            with self._lock:
                found = _in_queue(self._queue, parts)
        except (redis.RedisError, OSError):
            return
        if found.stopped:
            return
        added, queued = sum(p.added for p in found.waiting), sum(p.queued for p in found.waiting)
        memory = sum(server.memory for server in found.servers.values())
        self.history.append(Sample(time.time_ns() // 1_000_000, added, queued, memory))
