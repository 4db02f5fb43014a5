"""A lock in PostgreSQL for what only one jobs process at a time may do."""

import psycopg

_ALONE = 7_365


def be_alone(connection: psycopg.Connection, what: str) -> None:
    """Wait until no other process does this; for as long as the connection lives."""
    connection.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (_ALONE, what))
