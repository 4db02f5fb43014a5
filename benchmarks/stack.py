"""What is measured: embedded servers in a folder of their own, and the processes as users run them.

The servers have the settings of `pintag up`, the durable ones. All is gone afterwards.
"""

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import psycopg
import redis

from benchmarks.load import Plan, Result
from tracker import embedded
from tracker.actions.auditing import audit
from tracker.actions.demo import ensure_demo
from tracker.cli.running import environment_of
from tracker.embedded import Servers
from tracker.embedded.processes import die_with_parent
from tracker.settings import Settings
from tracker.snippets import publishing
from tracker.stores import database, hit_queue, queue_epochs
from tracker.stores.queue_server import Queue

_PATIENCE = 30.0
_TEMPLATE = "benchmark_template"


class BenchmarkError(Exception):
    """A benchmark went wrong, or lost hits: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Site:
    """An installation with the demo, empty of hits, and connections to its stores."""

    settings: Settings
    pids: dict[str, int]
    key: str
    database: psycopg.Connection
    redis: redis.Redis

    @property
    def own_backend(self) -> dict[str, list[int]]:
        """The PostgreSQL process behind `database`, whose work is the benchmark's own."""
        return {"postgres": [self.database.info.backend_pid]}

    def queued(self) -> int:
        """Entries in the hit queue."""
        return sum(
            self.redis.xlen(hit_queue.stream(number)) for number in range(self.settings.partitions)
        )

    def empty_queue(self) -> None:
        """Forget what is queued, which no worker has looked at."""
        self.redis.delete(*(hit_queue.stream(n) for n in range(self.settings.partitions)))

    def check(self, *, stored: int, queued: int, expired: int = 0) -> None:
        """Raise BenchmarkError unless the audit balances with exactly these hits."""
        found = audit(self.database, self.redis)
        states = {state: hits for state, hits in found.states.items() if hits}
        counts = {"stored": stored, "expired": expired}
        expected = {state: hits for state, hits in counts.items() if hits}
        states.pop("queued", None)
        if found.problems or found.queued != queued or states != expected:
            raise BenchmarkError(
                f"The counts do not match: {expected} and {queued} queued were expected, the "
                f"audit says {states} and {found.queued} queued; {found.problems or 'it balances'}."
            )


class Stack:
    """The servers of a run; every site is a new database and an empty Valkey."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        self._folder = folder
        self._sites = 0
        with database.connect(servers.database_url) as connection:
            connection.execute(f"CREATE DATABASE {_TEMPLATE}".encode())
        self._template = Settings(
            database_url=self._url(_TEMPLATE),
            redis_url=servers.redis_url,
            data_dir=str(folder),
            collector_port=free_port(),
        )
        database.migrate(self._template)
        self._key = ensure_demo(self._template)["definitions"][0]["snippet_key"]

    @contextmanager
    def site(self) -> Iterator[Site]:
        """An installation as it is at its start, its key table published."""
        self._sites += 1
        name = f"benchmark_{self._sites}"
        settings = replace(self._template, database_url=self._url(name))
        with database.connect(self.servers.database_url) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}".encode())
            with (
                database.connect(settings.database_url) as connection,
                hit_queue.connect(settings.redis_url) as client,
            ):
                client.flushall()
                queue_epochs.settle(connection, Queue(client))
                publishing.keep_current(connection, client)
                yield Site(settings, dict(self.servers.pids), self._key, connection, client)
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def _url(self, name: str) -> str:
        return self.servers.database_url.replace("/pintag?", f"/{name}?")


@contextmanager
def stack() -> Iterator[Stack]:
    """Servers in a temporary folder that the user of PostgreSQL can reach."""
    folder = Path(tempfile.mkdtemp(prefix=f"pintag-benchmark-{os.getpid()}-", dir="/tmp"))
    try:
        folder.chmod(0o711)
        with embedded.servers(folder) as servers:
            yield Stack(servers, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def process(settings: Settings, *command: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m COMMAND` with these settings; its standard input and output are pipes."""
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        env={"PATH": "/usr/bin:/bin", **environment_of(settings)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if command[0] == "worker" else None,
        text=True,
        preexec_fn=die_with_parent(9),
    ) as running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                running.kill()


@contextmanager
def collector(site: Site) -> Iterator[int]:
    """A collector that takes hits; its process id."""
    with process(site.settings, "tracker.cli", "collector") as running:
        wait_for_port(site.settings.collector_port)
        yield running.pid


@contextmanager
def worker(site: Site) -> Iterator[int]:
    """A worker that has all partitions and is about to read; its process id."""
    with process(site.settings, "worker") as running:
        assert running.stdout is not None
        for line in running.stdout:
            if '"working"' in line:
                break
        else:
            raise BenchmarkError("The worker ended before it worked.")
        yield running.pid


class LoadGenerators(ExitStack):
    """Starts load generators and ends them."""

    def prepare(self, site: Site, plan: Plan) -> "Load":
        """A generator with its requests ready and its connections open."""
        arguments = ("benchmarks.load", msgspec.json.encode(plan).decode())
        running = self.enter_context(process(site.settings, *arguments))
        return Load(running)


class Load:
    """A load generator that is ready; `go` starts it, `result` waits for it."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self._running = running
        self._line()

    def go(self) -> None:
        assert self._running.stdin is not None
        self._running.stdin.write("go\n")
        self._running.stdin.flush()

    def is_done(self) -> bool:
        return self._running.poll() is not None

    def result(self) -> Result:
        """Raises BenchmarkError when a request was refused."""
        result = msgspec.json.decode(self._line(), type=Result)
        if result.refused:
            raise BenchmarkError(f"The collector refused {result.refused} requests.")
        return result

    def _line(self) -> str:
        assert self._running.stdout is not None
        line = self._running.stdout.readline()
        if not line:
            raise BenchmarkError("The load generator ended too early; its error is above.")
        return line


def free_port() -> int:
    """A port of loopback that nothing listens on, and that no connection is given meanwhile."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for_port(port: int) -> None:
    """Return once something listens there. Raises BenchmarkError."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise BenchmarkError(f"Nothing listens on port {port} after {_PATIENCE:.0f} s.")
