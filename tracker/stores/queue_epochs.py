"""The queue's epoch, kept in PostgreSQL and in Redis: it shows when Redis has lost its data.

An epoch begins in a Redis that knows none. Stream ids and Redis's own counts mean something only
within one, so that when Redis comes back without it, reading starts over, and the loss is written
down.
"""

import secrets

import psycopg
import redis

from tracker.stores import hit_queue

_LOCK = 7_361_003


class ForeignQueueError(Exception):
    """The Redis belongs to another database; the message says what to do."""


def settle(connection: psycopg.Connection, client: redis.Redis) -> str:
    """Make both sides agree on the epoch, beginning one if Redis has none; returns it.

    Raises ForeignQueueError when Redis has another epoch than the database.
    """
    known = current(connection)
    if known and hit_queue.get_epoch(client) == known:
        return known
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        return _settle(connection, client)
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def current(connection: psycopg.Connection) -> str:
    """The epoch as the database has it; empty before the first worker."""
    return str(connection.execute("SELECT queue_epoch FROM installation").fetchall()[0][0])


def _settle(connection: psycopg.Connection, client: redis.Redis) -> str:
    known, found = current(connection), hit_queue.get_epoch(client)
    if found and found == known:
        return known
    if found:
        raise ForeignQueueError(
            f"This Redis holds the hit queue of another installation (epoch {found}; the"
            f" database expects {known or 'none yet'}). Check REDIS_URL and DATABASE_URL. If the"
            f" database was restored on purpose: redis-cli DEL {hit_queue.EPOCH_KEY}"
        )
    epoch = secrets.token_hex(8)
    # The database first: if we end here, the next worker finds a Redis without an epoch again.
    # The other way round it would find one that no database knows, and refuse it.
    partitions = _begin(connection, known, epoch)
    if not hit_queue.begin_epoch(client, epoch, partitions):
        raise ForeignQueueError("Another installation began to use this Redis just now.")
    return epoch


def _begin(connection: psycopg.Connection, old: str, new: str) -> list[int]:
    with connection.transaction():
        connection.execute("UPDATE installation SET queue_epoch = %s", (new,))
        connection.execute(
            "INSERT INTO queue_loss (queue_epoch, partition, counted)"
            " SELECT %s, number, counted FROM hit_partition WHERE counted > 0",
            (old,),
        )
        moved = connection.execute(
            "UPDATE hit_partition SET last_id = %s, counted = 0 RETURNING number", (_start(new),)
        )
        return sorted(number for (number,) in moved)


def _start(epoch: str) -> str:
    """A stream id before all, but not that of another epoch: its batches must not fit here."""
    return f"0-{int(epoch[:8], 16)}"
