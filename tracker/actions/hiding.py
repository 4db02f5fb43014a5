"""Hiding a definition, for good: it vanishes, its events stay where they are."""

from datetime import datetime

import psycopg
import redis

from tracker.snippets import publishing
from tracker.stores import definitions
from tracker.stores.definitions import Definition


def hide(
    connection: psycopg.Connection, client: redis.Redis, definition: Definition, *, now: datetime
) -> bool:
    """Hide a definition; False if it was hidden already. Idempotent, and never undone.

    Its snippets are answered 410 when this returns. Raises redis.RedisError after it was hidden if
    the collectors could not be told: a worker tells them as soon as it can.
    """
    hidden = definitions.hide(connection, definition.id, now)
    publishing.publish(connection, client)
    return hidden
