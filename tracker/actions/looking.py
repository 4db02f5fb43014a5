"""Looks at very many stored events: each takes seconds, and a connection for as long."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tracker.turns import BusyError, Turns

AT_ONCE = 2
"""By each process; the other connections are for everybody else."""
SECONDS: float = 15
"""After which one is given up."""
turns = Turns(AT_ONCE)


@contextmanager
def far(connection: psycopg.Connection) -> Iterator[None]:
    """Look far in this block. Raises BusyError where too many do, or it takes too long."""
    with turns.take(), connection.transaction():
        connection.execute(f"SET LOCAL statement_timeout = {SECONDS * 1000:.0f}".encode())
        try:
            yield
        except psycopg.errors.QueryCanceled:
            raise BusyError(
                f"This took more than {SECONDS:g} seconds and was given up: ask for less, or later."
            ) from None
