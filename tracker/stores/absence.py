"""PostgreSQL or Redis that is away: what tells it from a mistake of ours."""

import psycopg
import redis

REDIS = (redis.ConnectionError, redis.TimeoutError)
"""What a Redis that is away raises."""
POSTGRESQL = psycopg.OperationalError
"""The same of PostgreSQL: it is raised by a pool that has no connection in time, too."""


def away(error: Exception) -> str | None:
    """The name of the server whose absence raised this; None where none did."""
    if isinstance(error, POSTGRESQL):
        return "PostgreSQL"
    return "Redis" if isinstance(error, REDIS) else None
