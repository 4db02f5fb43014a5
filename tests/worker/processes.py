"""Worker processes that a test starts, and ends by their pid."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tests.worker.cast import Harbour


@contextmanager
def process(
    harbour: Harbour, module: str, *arguments: str, stderr: IO[str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A module run as a process on the harbour's stores, killed at the end if it still runs."""
    environment = {
        **os.environ,
        "DATABASE_URL": harbour.settings.database_url,
        "REDIS_URL": harbour.settings.redis_url,
        "PINTAG_SECRET_KEY": harbour.settings.secret_key,
        "PINTAG_BATCH": "20",
    }
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, env=environment, stderr=stderr) as started:
        try:
            yield started
        finally:
            started.kill()


def until_killed(harbour: Harbour, at: str) -> None:
    """Run a worker that kills itself at this place of tests/worker/killed.py."""
    with process(harbour, "tests.worker.killed", "--at", at) as worker:
        assert worker.wait(60) == -signal.SIGKILL


def owners(harbour: Harbour) -> dict[int, int]:
    """How many partitions each worker's connection owns, by the PostgreSQL process."""
    rows = harbour.rows(
        "SELECT pid, count(*) FILTER (WHERE classid = 7361) FROM pg_locks"
        " WHERE locktype = 'advisory' AND granted AND classid IN (7361, 7362) AND objsubid = 2"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " GROUP BY pid"
    )
    return dict(rows)
