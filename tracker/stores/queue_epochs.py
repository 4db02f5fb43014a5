"""The queue's epoch, kept in PostgreSQL and in Redis: it shows when Redis has lost its data.

An epoch begins with an empty Redis. Stream ids and Redis's own counts mean something only within
one, so that when Redis comes back without it, reading starts over, and the loss is written down.
"""

import secrets

import psycopg
import redis

from tracker.stores import hit_queue


class ForeignQueueError(Exception):
    """The Redis belongs to another database; the message says what to do."""


def settle(connection: psycopg.Connection, client: redis.Redis) -> bool:
    """Make both sides agree on the epoch; True when a new one began.

    Raises ForeignQueueError when each side has an epoch of its own.
    """
    with connection.transaction():
        known = str(
            connection.execute("SELECT queue_epoch FROM installation FOR UPDATE").fetchall()[0][0]
        )
        found = hit_queue.get_epoch(client)
        if found and found == known:
            return False
        if found and known:
            raise ForeignQueueError(
                f"This Redis holds the hit queue of another installation (epoch {found}; the"
                f" database expects {known}). Check REDIS_URL and DATABASE_URL. If the database"
                f" was restored on purpose: redis-cli DEL {hit_queue.EPOCH_KEY}"
            )
        epoch = found or secrets.token_hex(8)
        _begin(connection, known, epoch)
        if not found and not hit_queue.set_epoch(client, epoch):
            raise ForeignQueueError("Another installation began to use this Redis just now.")
    return True


def _begin(connection: psycopg.Connection, old: str, new: str) -> None:
    connection.execute(
        "INSERT INTO queue_loss (queue_epoch, partition, counted)"
        " SELECT %s, number, counted FROM hit_partition WHERE counted > 0",
        (old,),
    )
    connection.execute("UPDATE hit_partition SET last_id = '0-0', counted = 0")
    connection.execute("UPDATE installation SET queue_epoch = %s", (new,))
