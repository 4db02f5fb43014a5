"""PostgreSQL: a cluster made once, settings for a small machine, and recovery after any kill."""

import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psycopg

from tracker.embedded import binaries, probes
from tracker.embedded.layout import Layout
from tracker.embedded.processes import Child, Part

SETTINGS = {
    "listen_addresses": "",  # a socket in a private directory is the only way in
    "port": "5432",  # names the socket
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "jit": "off",
}
_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}


async def part(layout: Layout) -> Part:
    """The PostgreSQL of a data directory, whose cluster is made here if need be.

    Raises EmbeddedError where the platform has none, PartError where initdb fails.
    """
    binary_folder = binaries.postgres_bin(layout)
    data = layout.postgres / "data"
    if not data.is_dir():
        await _make_cluster(layout, binary_folder, data)
    quoted_run = str(layout.run).replace('"', '""')
    settings = {**SETTINGS, "unix_socket_directories": f'"{quoted_run}"'}
    arguments = (text for name, value in settings.items() for text in ("-c", f"{name}={value}"))
    return Part(
        name="postgres",
        command=(str(binary_folder / "postgres"), "-D", str(data), *arguments),
        is_ready=partial(probes.answers_sql, url(layout, "postgres")),
        environment=_ENVIRONMENT,
        account=layout.account,
        stops=2,
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes everything down
        hurry_signal=signal.SIGQUIT,  # "immediate": recovers at the next start
        death_signal=signal.SIGQUIT,  # takes its own children with it, unlike SIGKILL
        startup=300,  # a recovery may take long
        try_again=partial(_is_passing, data),
    )


def url(layout: Layout, database: str = "pintag") -> str:
    """Where clients reach it; libpq's form."""
    return f"postgresql://pintag@/{database}?host={quote(str(layout.run), safe='')}&port=5432"


def ensure_database(layout: Layout) -> None:
    """Make the database `pintag` if it is missing."""
    with psycopg.connect(url(layout, "postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'pintag'").fetchone()
        if not found:
            connection.execute("CREATE DATABASE pintag")


async def _make_cluster(layout: Layout, binary_folder: Path, data: Path) -> None:
    """All or nothing: an initdb that was killed leaves a folder that the next one removes."""
    for leftover in layout.postgres.glob("initdb-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    unfinished = layout.postgres / f"initdb-{os.getpid()}"
    command = (
        *(str(binary_folder / "initdb"), "-D", str(unfinished), "--username=pintag"),
        *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *("--auth=trust", "--no-instructions"),  # whoever can enter the socket's folder is trusted
    )
    initdb = Part("initdb", command, probes.started, _ENVIRONMENT, layout.account)
    await Child(initdb, layout.logs / "initdb.log").finish()
    unfinished.rename(data)
    _sync(layout.postgres)


def _sync(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_passing(data: Path, log: str) -> bool:
    """Whether a start failed for what an earlier server left behind, and may work now."""
    if "pre-existing shared memory block" in log:
        return True  # the last processes of a killed server are about to end
    locked = re.search(r'lock file "(.+)" already exists', log)
    if not locked:
        return False
    file = data / locked[1]  # the log names one of the two relative to the data directory
    if not file.exists():
        return True
    owner = file.read_text().split("\n", 1)[0].strip()
    if "postgres" not in _program(owner):
        # After a reboot the number may be any process's; PostgreSQL can't tell, so we must.
        file.unlink(missing_ok=True)
    return True


def _program(pid: str) -> str:
    """The name of the program with that process id; empty where there is none."""
    if Path("/proc/self/comm").exists():
        with suppress(OSError):
            return Path("/proc", pid, "comm").read_text()
        return ""
    return subprocess.run(
        ["ps", "-o", "comm=", "-p", pid], capture_output=True, text=True, check=False
    ).stdout
