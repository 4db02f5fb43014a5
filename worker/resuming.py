"""What was begun and is not finished: its job was killed, or Redis lost it. It is run again."""

import psycopg
import redis

from tracker.actions import erasing
from tracker.settings import Settings
from tracker.stores import database, erasures, hit_queue


def resume(settings: Settings) -> None:
    """Enqueue unfinished erasures again. Safe at any time: one that runs does no harm twice."""
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        enqueue_unfinished(connection, client)


def enqueue_unfinished(connection: psycopg.Connection, client: redis.Redis) -> None:
    """The same on connections that are there."""
    for id_ in erasures.unfinished(connection):
        erasing.enqueue(client, id_)
