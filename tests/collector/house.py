"""The cast: a hotel with tracked events, its collector, and what reads the hit queue."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import httpx2
import psycopg
import uvicorn
from redis import Redis
from starlette.applications import Starlette

from tests.embedded.waiting import until
from tracker.actions import saving
from tracker.collector import server
from tracker.rules.definitions import Category, Draft
from tracker.rules.hits import Sender
from tracker.serving import Server
from tracker.settings import Settings
from tracker.snippets import publishing, tracking
from tracker.stores import hit_queue, key_table, sections
from tracker.stores.definitions import Definition

PARTITIONS = 8


@dataclass
class House:
    """A hotel's section, as its owner and a worker's upkeep see it."""

    db: psycopg.Connection
    redis: Redis

    def save(self, name: str) -> Definition:
        sections.create(self.db, "hotel", "Hotel", [], strict_origin=False)
        section = sections.choose(self.db, "hotel")
        draft = Draft(category=Category.SIGNALS, name=name)
        return saving.create(self.db, section.id, draft, datetime.now(UTC))

    def switch_on(self, definition: Definition) -> str:
        return tracking.switch_on(self.db, self.redis, definition, datetime.now(UTC))

    def switch_off(self, definition: Definition) -> None:
        tracking.switch_off(self.db, self.redis, definition)

    def hide(self, definition: Definition) -> None:
        self.db.execute("UPDATE definition SET hidden_at = now() WHERE id = %s", (definition.id,))
        self.upkeep()

    def let_in(self, *origins: str, strict: bool = False) -> None:
        self.db.execute(
            "UPDATE section SET allowed_origins = %s, strict_origin = %s", (list(origins), strict)
        )
        self.upkeep()

    def upkeep(self) -> None:
        """What a worker does once a second."""
        publishing.keep_current(self.db, self.redis)

    def keep_addresses(self, rule: str) -> None:
        """Choose what is kept of IP addresses: `whole`, `truncated` or `none`."""
        self.db.execute("UPDATE section SET addresses = %s", (rule,))
        self.upkeep()

    def end_lease(self) -> None:
        self.redis.delete(key_table.CONFIRMED)

    def lose_table(self) -> None:
        self.redis.delete(key_table.META, key_table.KEYS, key_table.SCRIPTS, key_table.CONFIRMED)

    def queued(self) -> dict[int, list[tuple[bytes, bytes, bytes]]]:
        """Key, `sent` and hit of every entry, by partition; partitions without any are left out."""
        return queued(self.redis)

    def hits(self) -> list[bytes]:
        """All queued hits."""
        return [hit for entries in self.queued().values() for _, _, hit in entries]

    def senders(self) -> list[Sender]:
        """The senders of all queued hits, partition by partition."""
        first = dict.fromkeys(range(PARTITIONS), "0-0")
        by_partition = hit_queue.read(self.redis, first, 10_000, 1)
        return [hit.sender for hits in by_partition.values() for hit in hits]


def queued(redis: Redis) -> dict[int, list[tuple[bytes, bytes, bytes]]]:
    streams: dict[int, Any] = {
        number: redis.xrange(hit_queue.stream(number)) for number in range(PARTITIONS)
    }
    return {
        number: [(entry[b"k"], entry[b"s"], entry[b"h"]) for _, entry in entries]
        for number, entries in streams.items()
        if entries
    }


@dataclass
class Collector:
    """A running collector and a client of it."""

    port: int
    http: httpx2.Client

    def post(self, key: str, body: bytes, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(f"/v1/{key}", content=body, headers=named)

    def look(self) -> None:
        """Look for a new key table now, not within a second."""
        assert self.http.get("/health").status_code == 200


@contextmanager
def running(app: Starlette, **changes: Any) -> Iterator[Collector]:
    """Serve on a free port as `pintag collector` does, until the block ends."""
    options: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        **server.options(Settings()),
        **changes,
    }
    uvicorn_server = Server(uvicorn.Config(app, **options))
    thread = Thread(target=uvicorn_server.run)
    thread.start()
    try:
        until(lambda: uvicorn_server.started or not thread.is_alive(), "the collector starts")
        port = uvicorn_server.servers[0].sockets[0].getsockname()[1]
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            yield Collector(port, http)
    finally:
        uvicorn_server.hurries = uvicorn_server.should_exit = True
        thread.join(60)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def process(
    settings: Settings, port: int | None = None, more: Sequence[str] = (), **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A collector in a process of its own, and its port; it does not outlive the block."""
    port = port or free_port()
    environment = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PINTAG_COLLECTOR_PORT": str(port),
        "PINTAG_HITS_PATH": settings.hits_path,
        "PINTAG_SCRIPTS_PATH": settings.scripts_path,
        "PINTAG_TRUSTED_PROXIES": settings.trusted_proxies,
        **variables,
    }
    command = [sys.executable, "-m", "tracker.cli", "collector", *more]
    running = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        until(lambda: running.poll() is not None or listens(port), "the collector listens")
        assert running.poll() is None
        yield running, port
    finally:
        running.kill()
        running.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def own_settings(redis_url: str, rate: int = 0) -> Settings:
    return Settings(redis_url=redis_url, snippet_rate=rate, queue_percent=0)
