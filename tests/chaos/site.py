"""The installation that is put to the test: real servers, and each process as users run it.

Two collectors, two workers, web and jobs, kept running by the supervisor of `pintag up`. Each
reaches each server through a link of its own.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.disks import Disk
from tests.chaos.links import Link
from tests.chaos.load import Target
from tests.whole.installation import free_ports
from tracker.actions.demo import ensure_demo
from tracker.cli.running import environment_of
from tracker.embedded import layout as places
from tracker.embedded import postgres, probes, valkey
from tracker.embedded.processes import Part
from tracker.embedded.supervisor import Supervisor
from tracker.settings import Settings
from tracker.stores import database

SERVERS = ("postgres", "valkey")
COLLECTORS, WORKERS = ("collector-1", "collector-2"), ("worker-1", "worker-2")
PROCESSES = ("web", *COLLECTORS, *WORKERS, "jobs")
_SECRET_KEY = "a-secret-key-that-only-chaos-knows-of"
_MEGABYTES = {"postgres": 3000, "valkey": 500}


class Site:
    """The whole; `settings` name the servers themselves, past all links."""

    target: Target
    settings: Settings

    def __init__(self, root: Path, say: Callable[[str], None], with_disks: bool) -> None:
        self.root = root
        self._say = say
        self.disks = (
            {name: Disk(root / name, _MEGABYTES[name]) for name in SERVERS} if with_disks else {}
        )
        self.links: dict[tuple[str, str], Link] = {}
        self._parts: dict[str, Part] = {}
        self._supervisor = self._new_supervisor()
        (self._web_port, _), self.collector_ports = _ports(), _ports()

    @property
    def pids(self) -> dict[str, int]:
        return self._supervisor.pids

    @property
    def parts(self) -> dict[str, Part]:
        return self._parts

    def lock(self, server: str) -> Path:
        """Held by the server while it runs: who holds it keeps the server from starting."""
        return self.root / f"{server}.lock"

    async def prepare(self, later: timedelta) -> None:
        """Start everything; the version behind the later key can be used after that time."""
        for disk in self.disks.values():
            disk.make()
        if account := places.postgres_account():
            for name in self.disks.keys() & {"postgres"}:
                os.chown(self.root / name, account.uid, account.gid)
        layout = places.prepare(self.root)
        servers = [await postgres.part(layout), valkey.part(layout)]
        self._parts = {part.name: replace(part, lock=self.lock(part.name)) for part in servers}
        await self._supervisor.start(*self._parts.values())
        await asyncio.to_thread(postgres.ensure_database, layout)
        self.settings = Settings(
            database_url=postgres.url(layout),
            redis_url=valkey.url(layout),
            data_dir=str(self.root),
            secret_key=_SECRET_KEY,
            queue_percent=0,  # or Redis would never come to its limit
        )
        keys = await asyncio.to_thread(self._fill_in, later)
        self.target = Target(self.collector_ports, *keys)
        await self._open_links(layout)
        self._parts |= {name: self._process(name) for name in PROCESSES}
        await self._supervisor.start(*(self._parts[name] for name in PROCESSES))

    async def stop(self) -> None:
        """End every process in good order."""
        await self._supervisor.stop()

    async def start_again(self) -> None:
        """Everything anew, after `stop`."""
        self._supervisor = self._new_supervisor()
        await self._supervisor.start(*(self._parts[name] for name in SERVERS))
        await self._supervisor.start(*(self._parts[name] for name in PROCESSES))

    async def close(self) -> None:
        self._supervisor.hurry.set()
        await self._supervisor.stop()
        for link in self.links.values():
            await link.close()

    async def is_up(self) -> bool:
        """Whether every part runs, and those that listen are ready."""
        if self.pids.keys() != self._parts.keys():
            return False
        ports = (self._web_port, *self.collector_ports)
        ready = [probes.answers_health("127.0.0.1", port) for port in ports]
        return all(await asyncio.gather(*ready))

    def _new_supervisor(self) -> Supervisor:
        (self.root / "logs").mkdir(exist_ok=True)
        return Supervisor(self.root / "logs", self._say)

    def _fill_in(self, later: timedelta) -> tuple[str, str]:
        """The schema and the demo; keys of a snippet in use, and of one that is not yet."""
        database.migrate(self.settings)
        made = {
            one["slug"]: one["snippet_key"] for one in ensure_demo(self.settings)["definitions"]
        }
        with database.connect(self.settings.database_url) as connection:
            return made["booking"], _next_version(connection, made["poll-vote"], later)

    async def _open_links(self, layout: places.Layout) -> None:
        sockets = {"postgres": layout.run / ".s.PGSQL.5432", "valkey": layout.run / "valkey.sock"}
        for process in PROCESSES:
            for server in SERVERS:
                link = Link(f"{process} to {server}", sockets[server])
                await link.open()
                self.links[process, server] = link

    def _process(self, name: str) -> Part:
        kind = name.partition("-")[0]
        port = self.collector_ports[COLLECTORS.index(name)] if kind == "collector" else 0
        to_postgres, to_valkey = (self.links[name, server].port for server in SERVERS)
        settings = replace(
            self.settings,
            database_url=f"postgresql://pintag@127.0.0.1:{to_postgres}/pintag",
            redis_url=f"redis://127.0.0.1:{to_valkey}",
            web_port=self._web_port,
            collector_port=port or self.collector_ports[0],
        )
        command = {"worker": ("worker",), "jobs": ("worker.jobs",)}.get(kind, ("tracker.cli", kind))
        listens = {"web": self._web_port, "collector": port}.get(kind)
        options: dict[str, Any] = {"stops": 0 if listens else 1}
        return Part(
            name=name,
            command=(sys.executable, "-m", *command),
            is_ready=partial(probes.answers_health, "127.0.0.1", listens)
            if listens
            else probes.started,
            environment={**_inherited(), **environment_of(settings)},
            **options,
        )


def _ports() -> tuple[int, int]:
    port = free_ports()
    return port, port + 1


def _inherited() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PINTAG") and name not in ("DATABASE_URL", "REDIS_URL")
    }


def _next_version(connection: psycopg.Connection, key: str, later: timedelta) -> str:
    """Make the next version of a snippet's event, as an edit would; returns its snippet's key."""
    connection.execute(
        "WITH made AS (INSERT INTO version"
        " (public_id, definition_id, number, fields, created_at, usable_from)"
        " SELECT 'ver_chaos', definition_id, number + 1, fields, version.created_at, %s"
        " FROM version JOIN snippet ON version_id = id WHERE key = %s RETURNING *)"
        " INSERT INTO snippet (key, version_id, created_at)"
        " SELECT 'later', id, created_at FROM made",
        (datetime.now(UTC) + later, key),
    )
    connection.execute("UPDATE installation SET revision = revision + 1")
    return "later"
