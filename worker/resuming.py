"""What was begun and is not finished: its job was killed, or Redis lost it. It is run again."""

from datetime import UTC, datetime

import psycopg
import redis

from tracker.actions import erasing, exporting
from tracker.settings import Settings
from tracker.stores import database, erasures, exports, hit_queue


def resume(settings: Settings) -> None:
    """Enqueue unfinished erasures and exports again; safe at any time, also while they run."""
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        enqueue_unfinished(connection, client)


def enqueue_unfinished(connection: psycopg.Connection, client: redis.Redis) -> None:
    """The same on connections that are there."""
    for id_ in erasures.unfinished(connection):
        erasing.enqueue(client, id_)
    for id_ in exports.unfinished(connection, datetime.now(UTC)):
        exporting.enqueue(client, id_)
