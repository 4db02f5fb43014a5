"""The worker's loop: own partitions, release held hits, read new ones, run the steps, commit, trim.

A crash anywhere repeats work, but neither loses nor counts a hit twice: a partition's last stream
id moves in the transaction that stores what became of the hits, and only then they are trimmed.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import psycopg
import redis
import structlog

from tracker import listening
from tracker.rules import agents
from tracker.rules.hits import QueuedHit
from tracker.rules.told import ToldHit
from tracker.settings import Settings
from tracker.snippets import publishing
from tracker.stores import database, event_tables, hit_queue, jobs, queue_epochs, queues, trials
from tracker.stores.batches import LostPartitionError
from tracker.stores.queue_server import Queue
from worker.batch import Works, commit, is_away, portions
from worker.context import Context
from worker.pace import Pace
from worker.partitions import Partitions, Tries
from worker.read_size import ReadSize
from worker.reports import Reports
from worker.steps import HOLD, STEPS, Step, Work
from worker.trying import bury, judge
from worker.watching import Watching

BLOCK_MS = 500
UPKEEP_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
BESIDE = 1.0
"""Seconds for which a Redis that has no hits is waited for: they are elsewhere."""
AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    redis.RedisError,
)
"""What a database or Redis that is away raises: reason to wait, never a fault of a hit."""

log = structlog.get_logger("worker")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Worker:
    """One worker process; `stop` may be called from a signal handler."""

    def __init__(
        self,
        settings: Settings,
        steps: tuple[Step, ...] = STEPS,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._steps = steps
        self._clock = clock
        self._context = Context(settings)
        self._tries = Tries()
        self._read_size = ReadSize()
        self._pace = Pace()
        self._pause = FIRST_PAUSE
        self._trials: list[ToldHit] = []
        self._reports = Reports(settings.redis_url)
        self._watching = Watching()
        self._stopping = self._told = False

    def stop(self) -> None:
        """Finish the batch at hand, give the partitions back, and return from `run`."""
        self._stopping = True

    def run(self) -> None:
        """Work until told to stop, through any absence of PostgreSQL and Redis."""
        agents.load()
        while not self._stopping:
            try:
                self._session()
            except AWAY as error:
                if isinstance(error, psycopg.Error) and not is_away(error):
                    raise
                self._bear(error)
            except queue_epochs.ForeignQueueError as error:
                log.error("foreign_queue", error=str(error))
                self._wait(LONGEST_PAUSE, "the Redis of its database")
        self._reports.leave()

    def _bear(self, error: Exception) -> None:
        """Wait for a server; not where two transactions waited for each other, and one ended."""
        if isinstance(error, database.CONFLICTS):
            log.warning("conflict", error=str(error).strip())
            return
        log.warning("away", error=str(error).strip(), retry_in=self._pause)
        self._wait(self._pause, "PostgreSQL" if isinstance(error, psycopg.Error) else "Redis")
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _wait(self, seconds: float, waits_for: str = "") -> None:
        self._reports.waits_for = waits_for
        deadline = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < deadline:
            if waits_for:
                self._reports.tell([])
            time.sleep(0.05)

    def _session(self) -> None:
        """Work on one pair of connections until told to stop; raises what is in AWAY."""
        patience = BESIDE if self._settings.queue_url else None
        self._read_size = ReadSize()  # what came meanwhile may be larger than all before
        with (
            database.connect(self._settings.database_url) as connection,
            hit_queue.connect(self._settings.redis_url, patience) as client,
            queues.connect(self._settings, client) as queue,
        ):
            upkeep = Upkeep(connection, client, queue)
            upkeep.run()
            partitions = Partitions(connection, self._tries)
            partitions.balance()
            self._context.refresh(connection)
            left = {n: last for n, last in partitions.last_ids.items() if n in upkeep.epochs}
            queue.trim(upkeep.epochs, left)
            log.info("working", partitions=sorted(partitions.owned))
            if not self._told:
                self._told = True
                listening.tell(listening.READY)
            self._reports.waits_for = ""
            while not self._stopping:
                if upkeep.due():
                    if upkeep.run():
                        return
                    # Only now: one whose disk is full may let us in, and take no batch.
                    self._pause, self._reports.waits_for = FIRST_PAUSE, ", ".join(queue.away)
                    partitions.balance()
                    self._watching.look(client)
                time.sleep(self._pace.patience(time.monotonic()))
                self._turn(connection, queue, partitions, upkeep.epochs)
                self._publish_trials(client)
                self._reports.tell(list(partitions.owned))
                self._watching.publish(client)
            partitions.release_all()

    def _publish_trials(self, client: redis.Redis) -> None:
        """Let those who watch know of the trials that are committed; nothing depends on it."""
        published, self._trials = self._trials, []
        if published:
            try:
                trials.publish(client, published)
            except Exception as error:
                log.warning("unpublished_trials", error=str(error).strip())

    def _turn(
        self,
        connection: psycopg.Connection,
        queue: Queue,
        partitions: Partitions,
        epochs: Mapping[int, str],
    ) -> None:
        """Release held hits that are due, then read one batch and see it through.

        Both are judged by one time. A hit that is read when its version has just become usable
        is held, too: it can't overtake those that are held already.
        """
        if not partitions.owned:
            self._wait(UPKEEP_SECONDS)
            return
        self._context.now = self._clock()
        if not self._see_through(connection, partitions, partitions.held.take(self._context.now)):
            return
        read = self._read(queue, partitions, epochs)
        if not read:
            return
        found = queue.epochs(read)  # asked after reading: none comes back
        hits = {n: hits for n, hits in read.items() if found.get(n) == epochs[n]}
        if not hits:
            self._wait(FIRST_PAUSE)
            return
        if self._see_through(connection, partitions, hits):
            queue.trim(epochs, {n: partitions.owned[n].last_id for n in hits})

    def _read(
        self, queue: Queue, partitions: Partitions, epochs: Mapping[int, str]
    ) -> dict[int, list[QueuedHit]]:
        late = partitions.held.unfinished
        # Without an epoch are those on nodes of a cluster that are away; reading waits for others.
        last_ids = {n: last_id for n, last_id in partitions.last_ids.items() if n in epochs}
        after = {n: last_id for n, last_id in last_ids.items() if n not in late}
        if late and not after:
            return {}
        cautious = not partitions.unread.isdisjoint(after)
        count = self._read_size.count(self._settings.batch, len(after), cautious)
        patience = partitions.held.patience(self._context.now, BLOCK_MS)
        hits = queue.read(after, count, patience)
        self._pace.note(time.monotonic(), hits.values(), count)
        partitions.unread.difference_update(after)
        self._read_size.learn([len(queued.raw) for read in hits.values() for queued in read])
        return hits

    def _see_through(
        self,
        connection: psycopg.Connection,
        partitions: Partitions,
        hits: dict[int, list[QueuedHit]],
    ) -> bool:
        """Judge hits and commit what becomes of them; False where partitions were lost."""
        partitions.note_tries(hits)
        whole = {n: read for n, read in hits.items() if not partitions.owned[n].careful}
        try:
            for portion in portions(whole):
                self._commit(connection, partitions, portion, self._judge)
            for number in hits.keys() - whole.keys():
                self._one_by_one(connection, partitions, number, hits[number])
        except LostPartitionError:
            log.warning("lost_partitions", partitions=sorted(hits))
            for number in hits:
                partitions.forget(number)
            return False
        return True

    def _commit(
        self,
        connection: psycopg.Connection,
        partitions: Partitions,
        hits: dict[int, list[QueuedHit]],
        judge: Callable[[QueuedHit], Work],
    ) -> None:
        def again(stale: Works) -> Works:
            self._context.refresh(connection)
            return [judge(work.queued) for work in stale]

        works = [judge(queued) for read in hits.values() for queued in read]
        last_ids = partitions.last_ids
        done = commit(connection, works, last_ids, again)
        if self._watching.sections:
            self._watching.note(done, self._context)
        for work in done:
            if work.verdict is HOLD and work.pinned is not None:
                partitions.held.note(work.queued.partition, work.pinned.usable_from)
            if work.trial is not None:
                self._trials.append(work.trial)
        for number in hits:
            partitions.owned[number].last_id = last_ids[number]
        self._reports.committed(len(works), held=works[0].queued.held_id is not None)

    def _judge(self, queued: QueuedHit) -> Work:
        return judge(queued, self._context, self._steps)

    def _bury(self, queued: QueuedHit) -> Work:
        return bury(queued, self._context)

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
            judge = self._judge
            if queued.mark == owned.suspect_id:
                log.error("dead_letter", partition=number, hit=queued.mark)
                judge = self._bury
            elif not partitions.suspect(number, queued.mark):
                raise LostPartitionError
            self._commit(connection, partitions, {number: [queued]}, judge)
        # A suspect that is still queued comes after the held hits: the care is for it.
        is_held = hits[0].held_id is not None
        if not is_held or owned.suspect_id in (None, *(queued.mark for queued in hits)):
            owned.careful, owned.suspect_id = False, None


class Upkeep:
    """What a worker sees to about once a second, beside the hits."""

    def __init__(self, connection: psycopg.Connection, client: redis.Redis, queue: Queue) -> None:
        self._connection = connection
        self._client = client
        self._queue = queue
        self._next = 0.0
        self._tables_for = ""
        self._known: dict[int, str] = {}
        self._said: dict[str, str] = {}
        self.epochs: dict[int, str] = {}

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def run(self) -> bool:
        """See to everything; True when a new queue epoch began, and reading must start over."""
        self._next = time.monotonic() + UPKEEP_SECONDS
        began = self._settle()
        if began:
            log.warning("new_queue_epoch", meaning="Redis lost its data", partitions=began)
        now = datetime.now(UTC)
        if self._tables_for != str(now.date()):
            event_tables.ensure(self._connection, now)
        full = away = ""
        try:
            self._write_to_redis(now)
        except redis.OutOfMemoryError as error:
            # Only workers can empty a full Redis: that it takes nothing must not keep them from it.
            full = str(error)
        except redis.RedisError as error:
            if not self._queue.elsewhere:
                raise
            away = str(error)
        self._say("redis_full", full)
        self._say("redis_away", away)
        return bool(began)

    def _say(self, event: str, error: str) -> None:
        """Log what is wrong, if anything, as it begins and when it changes; not each second."""
        if error and error != self._said.get(event):
            log.error(event, error=error)
        self._said[event] = error

    def _settle(self) -> list[int]:
        """See which partitions can be worked on; returns those where a new epoch began."""
        self.epochs = queue_epochs.settle(self._connection, self._queue)
        self._say("foreign_partitions", self._queue.left_alone)
        if not self._known:  # of those that are away, too: they may come back without their data
            self._known = queue_epochs.current(self._connection, apart=self._queue.apart)
        began = [n for n, epoch in self.epochs.items() if epoch != self._known[n]]
        self._known |= self.epochs
        return sorted(began)

    def _write_to_redis(self, now: datetime) -> None:
        publishing.keep_current(self._connection, self._client)
        if self._tables_for != str(now.date()):
            jobs.enqueue_once(self._client, jobs.RETENTION, job_id=f"retention-{now.date()}")
            self._tables_for = str(now.date())
