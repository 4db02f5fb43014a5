"""Tells the collectors what they must know: publishes the key table from PostgreSQL to Redis."""

import psycopg
import redis

from tracker.stores import catalog, key_table


def publish(connection: psycopg.Connection, client: redis.Redis) -> int:
    """Publish the table as the database has it now; returns its revision.

    Raises psycopg.Error and redis.RedisError; the worker publishes again within a second.
    """
    meta, entries, scripts = catalog.key_table(connection)
    key_table.publish(client, meta, entries, scripts)
    return meta.revision


def keep_current(connection: psycopg.Connection, client: redis.Redis) -> None:
    """Publish the table if the database has moved on, and confirm that it is current."""
    published = key_table.published_revision(client)
    revision = catalog.revision(connection)
    if published is not None and published > revision:
        # Read in this order, it means that the database went back: a backup was restored.
        key_table.withdraw(client)
    if published != revision:
        revision = publish(connection, client)
    key_table.confirm(client, revision)
