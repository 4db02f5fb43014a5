"""Fixtures on real servers: one PostgreSQL and one Valkey a session, an own database a test."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from redis import Redis

from tracker import embedded
from tracker.embedded import Servers
from tracker.settings import Settings
from tracker.stores import database

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
    return _TEMPLATE


@pytest.fixture
def settings(servers: Servers, _template: str) -> Iterator[Settings]:
    """Settings that name a migrated database of this test's own, and an empty Valkey."""
    name = f"test_{next(_numbers)}"
    new, old = sql.Identifier(name), sql.Identifier(_template)
    with database.connect(servers.database_url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, old))
        with Redis.from_url(servers.redis_url, legacy_responses=False) as client:
            client.flushdb()
        yield Settings(database_url=_named(servers, name), redis_url=servers.redis_url)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(new))


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
