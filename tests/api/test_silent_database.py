"""A PostgreSQL that says nothing: probes are answered all the same, and soon."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout
from redis import Redis

from tests.api.test_watching import health, present, serving
from tracker.pages import page
from tracker.settings import Settings
from tracker.stores import database

SOON = 3.0
"""Seconds; what says nothing is given up after two at most, and machines are busy."""
AWAY = 9.0
"""Seconds after which pauses that double each time would be eight seconds."""


@contextmanager
def silence(db: psycopg.Connection) -> Iterator[None]:
    """PostgreSQL's processes answer on no connection to the test's database but this one."""
    pids = [
        pid
        for (pid,) in db.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    ]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ("alive", (200, "ok")),
        ("ready", (503, "PostgreSQL is away.")),
        ("sink", (200, "ok")),
        ("", (200, "away: PostgreSQL")),
    ],
)
def test_probes_say_that_it_is_away(
    settings: Settings, db: psycopg.Connection, redis: Redis, what: str, answer: tuple[int, str]
) -> None:
    present(redis, "worker")
    with serving(settings) as client, ThreadPoolExecutor(1) as aside:
        assert health(client, "ready") == (200, "ok")
        with silence(db):
            assert aside.submit(health, client, what).result(SOON) == answer


def test_probes_do_not_wait_behind_requests(settings: Settings, redis: Redis) -> None:
    """All threads that serve requests wait for a connection, as somebody has them all: that is
    busy, and not away.
    """
    present(redis, "worker")
    with serving(settings) as client, ThreadPoolExecutor(60) as aside:
        pool = client.app.state.pool  # type: ignore[attr-defined]
        with ExitStack() as taken:
            for _ in range(pool.max_size):
                taken.enter_context(pool.connection())
            for _ in range(50):
                aside.submit(client.get, "/audience/sections")
            asked = [aside.submit(health, client, what) for what in ("alive", "ready", "sink", "")]
            for one in asked:
                assert one.result(SOON) == (200, "ok")


@pytest.mark.slow
def test_a_request_waits_for_a_connection_no_longer_than_a_page(settings: Settings) -> None:
    with serving(settings) as client, ThreadPoolExecutor(1) as aside, ExitStack() as taken:
        pool = client.app.state.pool  # type: ignore[attr-defined]
        for _ in range(pool.max_size):
            taken.enter_context(pool.connection())
        answer = aside.submit(client.get, "/audience/sections").result(page.PATIENCE + SOON)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_question_that_is_not_answered_in_time(settings: Settings) -> None:
    with database.connect(settings.database_url) as connection:
        with database.answered_within(connection, 60):
            connection.execute("SELECT 1")
        began = time.monotonic()
        with (
            pytest.raises(psycopg.OperationalError, match=r"no answer within 0\.1 s"),
            database.answered_within(connection, 0.1),
        ):
            connection.execute("SELECT pg_sleep(60)")
        assert time.monotonic() - began < SOON
        assert connection.closed


def is_there(pool: ConnectionPool) -> bool:
    try:
        with pool.connection(0.2) as connection:
            return bool(connection.execute("SELECT 1"))
    except PoolTimeout:
        return False


@pytest.mark.slow
def test_one_that_was_away_for_long_is_there_as_soon_as_it_is_back(
    settings: Settings, data_dir: Path
) -> None:
    away, there = data_dir / "run", conninfo_to_dict(settings.database_url)["host"]
    with database.open_pool(make_conninfo(settings.database_url, host=str(away)), size=1) as pool:
        began = time.monotonic()
        while time.monotonic() - began < AWAY:
            assert not is_there(pool)
        away.symlink_to(str(there))
        began = time.monotonic()
        while not is_there(pool):
            assert time.monotonic() - began < SOON
