"""PostgreSQL: connections, and the schema's migrations."""

import functools
import importlib.resources
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure
from psycopg_pool import ConnectionPool

from tracker.rules.definitions import check_prefix
from tracker.settings import Settings, SettingsError

# Alembic is imported where it is used: most commands start in half the time without it.
if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection as AlchemyConnection
    from sqlalchemy import Engine

T = TypeVar("T")

MIGRATION_LOCK = 7_361_001
CONFLICTS = (DeadlockDetected, SerializationFailure)
"""What ends a transaction only so that another one can go on: do it again, at once."""
MOST_TRIES = 100
"""Times that somebody else may be in the way of what is done `again`."""
RECONNECT_SECONDS = 5.0
"""A pool's tries to connect come after ever longer pauses: after minutes without PostgreSQL it
would take minutes to find that it is back. So it gives up; who asks for a connection has it begin
anew.
"""
# Without these either side waits for hours for a peer whose machine or network is gone; a worker's
# locks on its partitions would be kept as long. Now it is a minute. Unix sockets ignore them.
_OUR_END = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_SERVERS_END = (
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=60000"
)
_SESSION: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": "pintag",
    "client_encoding": "utf8",  # whatever the database has: stores/binary.py writes it
    "options": f"-c synchronous_commit=on -c timezone=UTC {_SERVERS_END}",
    **_OUR_END,
}


def connect(url: str) -> psycopg.Connection:
    """A connection in autocommit mode; `with connection.transaction():` opens a transaction.

    What it commits is on disk when the commit returns. Raises psycopg.OperationalError.
    """
    return psycopg.connect(url, autocommit=True, **_SESSION)


def again(do: Callable[[], T], *errors: type[Exception]) -> T:
    """What `do` returns, begun anew for as long as others are in its way, of which `errors` tell.

    Raises what it raises after MOST_TRIES.
    """
    for _ in range(MOST_TRIES):
        with suppress(*errors):
            return do()
    return do()


def open_pool(url: str, size: int = 8) -> ConnectionPool:
    """Connections like `connect` makes, for the threads of the web process."""
    return ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        kwargs={"autocommit": True, **_SESSION},
        reconnect_timeout=RECONNECT_SECONDS,
        open=True,
    )


Connect = Callable[[], AbstractContextManager[psycopg.Connection]]
"""Lends a connection."""


class Borrowed:
    """A connection, of a pool say, that can be given back for as long as something else takes.

    Raises psycopg.OperationalError where there is none, also afterwards.
    """

    connection: psycopg.Connection

    def __init__(self, connect: Connect) -> None:
        self.connect = connect
        self._lent = ExitStack()

    def __enter__(self) -> "Borrowed":
        self.connection = self._lent.enter_context(self.connect())
        return self

    def __exit__(self, *raised: Any) -> None:
        self._lent.__exit__(*raised)

    @contextmanager
    def given_back(self) -> Iterator[None]:
        """Nobody has it while the block runs; afterwards there is another `connection`."""
        self._lent.close()
        try:
            yield
        finally:
            self.__enter__()


@contextmanager
def answered_within(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """Whoever waits for PostgreSQL for longer gets psycopg.OperationalError; the connection ends.

    A server that says nothing would not hear that it is to cancel a statement either.
    """
    given_up = threading.Event()

    def give_up() -> None:
        given_up.set()
        with suppress(OSError, psycopg.Error), _socket(connection) as ours:
            ours.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except psycopg.OperationalError as error:
        if given_up.is_set():
            raise psycopg.OperationalError(f"no answer within {seconds:g} s") from error
        raise
    finally:
        timer.cancel()
        timer.join()
        if given_up.is_set():
            connection.close()


def _socket(connection: psycopg.Connection) -> socket.socket:
    """The connection's socket, by a descriptor of its own."""
    return socket.socket(fileno=os.dup(connection.fileno()))


def migrate(settings: Settings) -> str:
    """Bring the schema up to date, one process at a time; returns the schema's revision.

    The first time it also fixes the discriminator prefix and the number of partitions.
    """
    from alembic import command

    with _engine(settings.database_url).begin() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        config = _alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        _install(connection, settings)
        return _current(connection) or ""


def schema_state(url: str) -> tuple[str | None, str]:
    """The schema's revision in the database (None: never migrated), and this release's."""
    with _engine(url).connect() as connection:
        return _current(connection), newest_revision()


@functools.cache
def newest_revision() -> str:
    """The schema's revision of this release."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_alembic_config()).get_current_head() or ""


def revision(connection: psycopg.Connection) -> str | None:
    """The schema's revision in the database; None: it was never migrated."""
    if connection.execute("SELECT to_regclass('alembic_version')").fetchall()[0][0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _install(connection: "AlchemyConnection", settings: Settings) -> None:
    if not 1 <= settings.partitions <= 256:
        raise SettingsError("PINTAG_PARTITIONS must be between 1 and 256.")
    for error in check_prefix(settings.prefix):
        raise SettingsError(f"PINTAG_PREFIX: {error.message}")
    made = connection.exec_driver_sql(
        "INSERT INTO installation (prefix, partitions) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (settings.prefix, settings.partitions),
    )
    if made.rowcount:
        connection.exec_driver_sql(
            "INSERT INTO hit_partition (number) SELECT generate_series(0, %s)",
            (settings.partitions - 1,),
        )


def _engine(url: str) -> "Engine":
    from sqlalchemy import create_engine, pool

    def creator() -> psycopg.Connection:
        return psycopg.connect(url, **_SESSION)

    return create_engine("postgresql+psycopg://", creator=creator, poolclass=pool.NullPool)


def _current(connection: "AlchemyConnection") -> str | None:
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def _alembic_config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option(
        "script_location", str(importlib.resources.files("tracker.stores") / "migrations")
    )
    return config
