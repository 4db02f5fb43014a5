"""The worker's loop: own partitions, read their hits, run the steps, commit, then trim.

A crash anywhere repeats work, but neither loses nor counts a hit twice: a partition's last stream
id moves in the transaction that stores what became of the hits, and only then they are trimmed.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import redis
import structlog

from tracker.rules.hits import QueuedHit
from tracker.settings import Settings
from tracker.snippets import publishing
from tracker.stores import database, event_tables, hit_queue, queue_epochs, worker_locks
from tracker.stores.batches import LostPartitionError, Progress
from worker.batch import commit, progress_of
from worker.context import Context
from worker.partitions import Partitions
from worker.steps import STEPS, Step, Work, dead_letter, run

BLOCK_MS = 500
UPKEEP_SECONDS = 1.0
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, redis.RedisError)
"""What a database or Redis that is away raises: reason to wait, never a fault of a hit."""

log = structlog.get_logger("worker")


class Worker:
    """One worker process; `stop` may be called from a signal handler."""

    def __init__(self, settings: Settings, steps: tuple[Step, ...] = STEPS) -> None:
        self._settings = settings
        self._steps = steps
        self._context = Context()
        self._tried: set[int] = set()
        self._stopping = False

    def stop(self) -> None:
        """Finish the batch at hand, give the partitions back, and return from `run`."""
        self._stopping = True

    def run(self) -> None:
        """Work until told to stop, through any absence of PostgreSQL and Redis."""
        pause = 0.1
        while not self._stopping:
            try:
                self._session()
            except AWAY as error:
                log.warning("away", error=str(error).strip(), retry_in=pause)
                self._wait(pause)
                pause = min(pause * 2, 5.0)
            except queue_epochs.ForeignQueueError as error:
                log.error("foreign_queue", error=str(error))
                self._wait(5.0)
            else:
                pause = 0.1

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < deadline:
            time.sleep(0.05)

    def _session(self) -> None:
        """Work on one pair of connections until told to stop; raises what is in AWAY."""
        with (
            database.connect(self._settings.database_url) as connection,
            hit_queue.connect(self._settings.redis_url) as client,
        ):
            upkeep = Upkeep(connection, client)
            upkeep.run()
            partitions = Partitions(connection, self._tried)
            partitions.balance()
            hit_queue.trim(client, partitions.last_ids)
            log.info("working", partitions=sorted(partitions.owned))
            while not self._stopping:
                if upkeep.due() and upkeep.run():
                    return
                if upkeep.fresh:
                    partitions.balance()
                    upkeep.fresh = False
                self._turn(connection, client, partitions)
            partitions.release_all()

    def _turn(
        self, connection: psycopg.Connection, client: redis.Redis, partitions: Partitions
    ) -> None:
        """Read one batch and see it through."""
        if not partitions.owned:
            self._wait(UPKEEP_SECONDS)
            return
        hits = hit_queue.read(client, partitions.last_ids, self._settings.batch, BLOCK_MS)
        if not hits:
            return
        self._context.refresh(connection)
        whole = {n: read for n, read in hits.items() if not partitions.owned[n].careful}
        try:
            self._commit(connection, partitions, whole)
            for number in hits.keys() - whole.keys():
                self._one_by_one(connection, partitions, number, hits[number])
        except LostPartitionError:
            log.warning("lost_partitions", partitions=sorted(hits))
            for number in hits:
                partitions.forget(number)
            return
        hit_queue.trim(client, {n: partitions.owned[n].last_id for n in hits})

    def _commit(
        self,
        connection: psycopg.Connection,
        partitions: Partitions,
        hits: dict[int, list[QueuedHit]],
        judge: Callable[[QueuedHit], Work] | None = None,
    ) -> None:
        judge = judge or (lambda queued: run(queued, self._context, self._steps))
        if not hits:
            return
        works = [judge(queued) for read in hits.values() for queued in read]
        progress: list[Progress] = progress_of(partitions.last_ids, hits)
        commit(connection, works, progress)
        for moved in progress:
            partitions.owned[moved.number].last_id = moved.new

    def _one_by_one(
        self,
        connection: psycopg.Connection,
        partitions: Partitions,
        number: int,
        hits: list[QueuedHit],
    ) -> None:
        """Run hits alone, each noted down first: who starts next sees which one was fatal."""
        owned = partitions.owned[number]
        for queued in hits:
            judge = None
            if queued.stream_id == owned.suspect_id:
                log.error("dead_letter", partition=number, stream_id=queued.stream_id)
                judge = _bury
            elif not worker_locks.suspect(connection, number, owned.last_id, queued.stream_id):
                raise LostPartitionError
            self._commit(connection, partitions, {number: [queued]}, judge)
        owned.careful, owned.suspect_id = False, None


def _bury(queued: QueuedHit) -> Work:
    return Work(queued, verdict=dead_letter())


class Upkeep:
    """What a worker sees to about once a second, beside the hits."""

    def __init__(self, connection: psycopg.Connection, client: redis.Redis) -> None:
        self._connection = connection
        self._client = client
        self._next = 0.0
        self._tables_for = ""
        self.fresh = False

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def run(self) -> bool:
        """See to everything; True when a new queue epoch began, and reading must start over."""
        self._next = time.monotonic() + UPKEEP_SECONDS
        self.fresh = True
        began = queue_epochs.settle(self._connection, self._client)
        if began:
            log.warning("new_queue_epoch", meaning="this Redis is new, or lost its data")
        publishing.keep_current(self._connection, self._client)
        now = datetime.now(UTC)
        if self._tables_for != str(now.date()):
            event_tables.ensure(self._connection, now)
            self._tables_for = str(now.date())
        return began
