"""Hiding a definition, for good: it vanishes, its events stay where they are."""

from collections.abc import Callable
from datetime import datetime

import psycopg
import redis

from tracker.snippets import publishing
from tracker.stores import definitions
from tracker.stores.definitions import Definition


def hide(
    connection: psycopg.Connection,
    client: redis.Redis,
    definition: Definition,
    *,
    now: datetime,
    note: Callable[[], None] = lambda: None,
) -> bool:
    """Hide a definition; False if it was hidden already. Idempotent, and never undone.

    Its snippets are answered 410 when this returns; `note` is called in the transaction that hides.
    Raises redis.RedisError after it was hidden if the collectors could not be told: a worker tells
    them as soon as it can.
    """
    with connection.transaction():
        hidden = definitions.hide(connection, definition.id, now)
        if hidden:
            note()
    publishing.publish(connection, client)
    return hidden
