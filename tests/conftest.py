"""Fixtures on real servers: one PostgreSQL and one Valkey a session, an empty database a test."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from redis import Redis

from tracker import embedded
from tracker.embedded import Servers
from tracker.settings import Settings
from tracker.stores import database, event_tables

# A test that fails because its machine is busy says nothing.
hypothesis.settings.register_profile(
    "pintag", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("pintag")

SECRET_KEY = "a-secret-key-that-only-tests-know-of"
_TEMPLATE = "pintag_template"
_numbers = itertools.count(1)


@contextmanager
def _reachable_directory() -> Iterator[Path]:
    # Not tmp_path: PostgreSQL, which runs as nobody under root, can't pass through its parents.
    directory = Path(tempfile.mkdtemp(prefix="pintag-test-", dir="/tmp"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty directory that servers may keep their data in."""
    with _reachable_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL and Valkey, started once a session."""
    with _reachable_directory() as directory, embedded.servers(directory) as running:
        yield running


@pytest.fixture(scope="session")
def _template(servers: Servers) -> str:
    """The name of a migrated database, which tests get copies of."""
    with database.connect(servers.database_url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
    database.migrate(Settings(database_url=_named(servers, _TEMPLATE)))
    with database.connect(_named(servers, _TEMPLATE)) as connection:
        # So that workers find their tables, and tests that change the schema stand out.
        event_tables.ensure(connection, datetime.now(UTC))
        connection.execute(_NOTE_CHANGES)
    return _TEMPLATE


_NOTE_CHANGES = """
CREATE SCHEMA tests;
CREATE TABLE tests.changed ();
CREATE FUNCTION tests.note() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tests.changed DEFAULT VALUES;
END $$;
CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION tests.note();
"""
_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# By DELETE, and only where there was ever a row: TRUNCATE makes each table and index a new file.
_EMPTY = """
SET session_replication_role = replica;  -- no foreign keys, no triggers
DO $$
DECLARE name text;
BEGIN
    FOR name IN
        SELECT quote_ident(relname) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
        AND relname <> 'alembic_version'
    LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
END $$;
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL;
INSERT INTO installation (prefix, partitions) VALUES ('com.pintag', 8);
INSERT INTO hit_partition (number) SELECT generate_series(0, 7);
"""


class Databases:
    """Migrated databases for tests: emptied and used again, but for those with another schema."""

    def __init__(self, servers: Servers, template: str) -> None:
        self._servers, self._template = servers, sql.Identifier(template)
        self._free: list[str] = []

    def take(self) -> str:
        if self._free:
            return self._free.pop()
        name = f"test_{next(_numbers)}"
        with database.connect(self._servers.database_url) as connection:
            new = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(new.format(sql.Identifier(name), self._template))
        return name

    def give_back(self, name: str) -> None:
        if self._is_emptied(name):
            self._free.append(name)
        else:
            with database.connect(self._servers.database_url) as connection:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))

    def _is_emptied(self, name: str) -> bool:
        try:
            with database.connect(_named(self._servers, name)) as connection:
                connection.execute(_END_OTHERS)
                if connection.execute("SELECT FROM tests.changed").fetchall():
                    return False
                connection.execute(_EMPTY)
        except psycopg.Error:
            return False
        return True


@pytest.fixture(scope="session")
def _databases(servers: Servers, _template: str) -> Databases:
    return Databases(servers, _template)


@pytest.fixture
def settings(servers: Servers, _databases: Databases) -> Iterator[Settings]:
    """Settings that name an empty, migrated database of this test's own, and an empty Valkey."""
    name = _databases.take()
    with Redis.from_url(servers.redis_url, legacy_responses=False) as client:
        client.flushdb()
    yield Settings(
        database_url=_named(servers, name), redis_url=servers.redis_url, secret_key=SECRET_KEY
    )
    _databases.give_back(name)


@pytest.fixture
def db(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection to the test's database, in autocommit mode."""
    with database.connect(settings.database_url) as connection:
        yield connection


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    """A client of the test's Valkey."""
    with Redis.from_url(settings.redis_url, legacy_responses=False) as client:
        yield client


def _named(servers: Servers, name: str) -> str:
    return servers.database_url.replace("/pintag?", f"/{name}?")
