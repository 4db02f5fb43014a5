"""The audit: proves from both stores that every hit has exactly one outcome."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import msgspec
import psycopg
import redis

from tracker.rules.states import Move, outcome_imbalances, queue_imbalance, state_counts
from tracker.stores import jobs, key_table, ledger, losses
from tracker.stores.ledger import Loss
from tracker.stores.queue_server import Queue

JOB = "audit"
"""The id of the audit that runs as a job: there is one at a time."""
READS = 1000
"""A partition that moves on while it is read is read again; each read takes about 1 ms."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit found; everything balances when `problems` is empty.

    lost: hits that never came, as senders say that they gave them up; at least;
    losses: when Redis lost its data, and with it an unknown number of hits still queued.
    """

    queued: int
    states: Counter[str]
    reasons: Counter[tuple[str, str]]
    refused: dict[str, int]
    lost: int
    losses: list[str]
    problems: list[str]


class Run(msgspec.Struct, frozen=True):
    """An audit that runs, or ran, as a job; since: when it ended, or began to wait or run."""

    state: str
    since: datetime | None
    problems: list[str] = []
    losses: list[str] = []
    error: str = ""

    @property
    def goes_on(self) -> bool:
        return self.state in ("waiting", "running")


def enqueue(client: redis.Redis) -> None:
    """Audit as a job, unless one goes on."""
    last = last_run(client)
    if last is None or not last.goes_on:
        jobs.enqueue_again(client, jobs.AUDIT, job_id=JOB)


def last_run(client: redis.Redis) -> Run | None:
    """The newest audit by a job; None where none ran in the last day."""
    found = jobs.find(client, JOB)
    if found is None:
        return None
    return Run(
        found.job.state, found.job.since, **(found.result or {}), error=found.job.error or ""
    )


def audit(connection: psycopg.Connection, client: redis.Redis, queue: Queue | None = None) -> Audit:
    """Compare Redis's own counts, the ledger and the rows. Raises psycopg.Error, RedisError.

    queue: the hit queue; None where it is in the client's Redis.
    """
    queue = queue or Queue(client)
    books = ledger.books(connection)
    counted = {part.number: part.counted + part.earlier for part in books.partitions}
    problems = outcome_imbalances(counted, books.ledger, books.rows)
    queued = 0
    for part in books.partitions:
        waiting, problem = _check_queue(connection, queue, part.number)
        queued += waiting
        problems += [problem] if problem else []
    return Audit(
        queued,
        state_counts(books.ledger),
        _reasons(books.ledger),
        key_table.refusals(client),
        losses.total(client),
        [_loss(loss) for loss in books.losses],
        problems,
    )


def _check_queue(
    connection: psycopg.Connection, queue: Queue, number: int
) -> tuple[int, str | None]:
    """Both sides of a partition, read while it stood still: hits queued, and what is wrong."""
    position = ledger.position(connection, number)
    for _ in range(READS):
        try:
            state = queue.state(number, position[0])
        except redis.RedisError as error:
            if not queue.apart:
                raise
            return 0, f"partition {number}: can't be checked: {error}"
        before, position = position, ledger.position(connection, number)
        if position == before:
            break
    else:
        return state.queued, f"partition {number}: never stood still long enough to be checked"
    problem = queue_imbalance(number, added=state.added, queued=state.queued, counted=position[1])
    return state.queued, problem


def _loss(loss: Loss) -> str:
    numbers = ", ".join(map(str, loss.partitions))
    whose = f"Redis lost the data of partition {numbers}" if numbers else "Redis lost its data"
    return (
        f"{loss.noticed_at:%F %T}Z: {whose}, after {loss.hits} hits of it had been read;"
        " what was still queued is lost, and nobody counted it"
    )


def _reasons(moves: Counter[Move]) -> Counter[tuple[str, str]]:
    reasons: Counter[tuple[str, str]] = Counter()
    for move, hits in moves.items():
        if move.reason:
            reasons[move.to_state, move.reason] += hits
    return reasons
