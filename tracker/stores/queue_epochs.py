"""The queue's epochs, kept in PostgreSQL and in the queue: they show that it has lost its data.

An epoch begins in a Redis that knows none. Stream ids and Redis's own counts mean something only
within one, so that when Redis comes back without it, reading starts over, and the loss is written
down. One server has one epoch; in a cluster each partition has its own, as nodes are lost alone.
"""

import secrets
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from tracker.stores import hit_queue
from tracker.stores.queue_server import Queue

_LOCK = 7_361_003


class ForeignQueueError(Exception):
    """The queue belongs to another database; the message says what to do."""


def settle(connection: psycopg.Connection, queue: Queue) -> dict[int, str]:
    """Make both sides agree on the epochs, beginning them where the queue has none.

    Returns the epoch of each partition that can be worked on now. Raises ForeignQueueError when
    the queue has other epochs than the database; where only some of a cluster have, these are left
    alone, and `queue.left_alone` says why.
    """
    queue.left_alone = ""
    known = current(connection, apart=queue.apart)
    found = queue.epochs(known)
    if all(epoch and epoch == known[number] for number, epoch in found.items()):
        return found
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        return _settle(connection, queue)
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def current(connection: psycopg.Connection, *, apart: bool = False) -> dict[int, str]:
    """The epoch of each partition as the database has it; empty before the first worker."""
    column = sql.Identifier("epoch" if apart else "queue_epoch")
    query = sql.SQL("SELECT number, {} FROM hit_partition, installation ORDER BY number")
    return dict(connection.execute(query.format(column)).fetchall())


def foreign(known: Mapping[int, str], found: Mapping[int, str]) -> dict[int, str]:
    """The epochs in the queue that are not the database's."""
    return {n: epoch for n, epoch in found.items() if epoch and epoch != known.get(n)}


def _settle(connection: psycopg.Connection, queue: Queue) -> dict[int, str]:
    known = current(connection, apart=queue.apart)
    found = queue.epochs(known)
    strange = foreign(known, found)
    if strange:
        queue.left_alone = _why(strange, known, apart=queue.apart)
        if len(strange) == len(found):
            raise ForeignQueueError(queue.left_alone)
    new = _new([number for number, epoch in found.items() if not epoch], apart=queue.apart)
    if new:
        # The database first: if we end here, the next worker finds a queue without epochs again.
        # The other way round it would find one that no database knows, and refuse it.
        _begin(connection, new, apart=queue.apart)
        if queue.begin(new):
            raise ForeignQueueError("Another installation began to use this Redis just now.")
    return {number: new.get(number, found[number]) for number in found.keys() - strange.keys()}


def _why(strange: Mapping[int, str], known: Mapping[int, str], *, apart: bool) -> str:
    number = min(strange)
    epochs = f"(epoch {strange[number]}; the database expects {known[number] or 'none yet'})"
    if apart:
        numbers = ", ".join(map(str, sorted(strange)))
        return (
            f"This cluster holds partitions of another hit queue: {numbers} {epochs}. Check"
            " PINTAG_QUEUE_URL and DATABASE_URL. If the database, or a node, was restored on"
            f" purpose: redis-cli -c DEL '{hit_queue.epoch_key(number)}', and so on for each"
        )
    return (
        f"This Redis holds the hit queue of another installation {epochs}. Check REDIS_URL,"
        " PINTAG_QUEUE_URL and DATABASE_URL. If the database was restored on purpose: redis-cli"
        f" DEL {hit_queue.EPOCH_KEY}"
    )


def _new(numbers: Sequence[int], *, apart: bool) -> dict[int, str]:
    if apart:
        return {number: f"{secrets.token_hex(8)}-{number}" for number in numbers}
    return dict.fromkeys(numbers, secrets.token_hex(8))


def _begin(connection: psycopg.Connection, new: Mapping[int, str], *, apart: bool) -> None:
    """Write down what is lost, and where reading starts over.

    Whichever kind of queue does not have the partitions any more is left without an epoch, so
    that it is noticed should they come back to it.
    """
    starts = [_start(epoch) for epoch in new.values()]
    epochs = list(new.values()) if apart else [""] * len(new)
    with connection.transaction():
        # A worker may be committing what it read before the loss: that is counted, too.
        connection.execute(
            "SELECT FROM hit_partition WHERE number = ANY(%s) ORDER BY number FOR UPDATE",
            (list(new),),
        )
        connection.execute(
            "INSERT INTO queue_loss (queue_epoch, partition, counted)"
            " SELECT coalesce(nullif(epoch, ''), queue_epoch), number, counted"
            " FROM hit_partition, installation WHERE counted > 0 AND number = ANY(%s)",
            (list(new),),
        )
        connection.execute(
            "UPDATE hit_partition p SET last_id = new.start, counted = 0, epoch = new.epoch"
            " FROM unnest(%s::int[], %s::text[], %s::text[]) AS new(number, start, epoch)"
            " WHERE p.number = new.number",
            (list(new), starts, epochs),
        )
        whole = "" if apart else next(iter(new.values()))
        connection.execute("UPDATE installation SET queue_epoch = %s", (whole,))


def _start(epoch: str) -> str:
    """A stream id before all, but not that of another epoch: its batches must not fit here."""
    return f"0-{int(epoch[:8], 16)}"
