"""The installation that is put to the test: real servers, and each process as users run it.

Two collectors behind one socket, which is kept here, two workers, web and jobs, kept running by the
supervisor of `pintag up`. Each reaches each server through a link of its own.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg

from tests.chaos import clocks
from tests.chaos.clocks import Clock
from tests.chaos.disks import Disk
from tests.chaos.links import Link
from tests.chaos.load import Sender, Target
from tests.whole.installation import free_ports
from tracker import listening
from tracker.actions.demo import ensure_demo
from tracker.cli.collectors import Notices
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
_REMARK = '[{"id": "fld_remark", "key": "remark", "label": "Remark", "type": "text"}]'
_SECRET_KEY = "a-secret-key-that-only-chaos-knows-of"
LOGS = "log-disk"
_MEGABYTES = {"postgres": 3000, "valkey": 500, LOGS: 100}


class Site:
    """The whole; `settings` name the servers themselves, past all links."""

    target: Target
    settings: Settings
    senders: Sequence[Sender] = ()

    def __init__(
        self, root: Path, say: Callable[[str], None], with_disks: bool, with_clocks: bool
    ) -> None:
        self.root = root
        self._say = say
        self.disks = (
            {name: Disk(root / name, size) for name, size in _MEGABYTES.items()}
            if with_disks
            else {}
        )
        self.clocks: dict[str, Clock] = {}
        if with_clocks:
            library = clocks.compiled(root)
            names = (*SERVERS, *PROCESSES)
            self.clocks = {name: Clock(root / f"{name}.clock", library) for name in names}
        self.links: dict[tuple[str, str], Link] = {}
        self._parts: dict[str, Part] = {}
        self._supervisor = self._new_supervisor()
        self._web_port = free_ports()
        self._collector_port = self._web_port + 1
        self._sockets = listening.kept("collector", "127.0.0.1", self._collector_port)

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
        self._parts = {part.name: self._server(part) for part in servers}
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
        self.target = Target(self._collector_port, *keys)
        await self._open_links(layout)
        self._parts |= {name: self._process(name) for name in PROCESSES}
        await self._supervisor.start(*(self._parts[name] for name in PROCESSES))

    async def replace(self, name: str) -> None:
        """Start a process anew beside the one that runs, and end that once the new one is ready."""
        await self._supervisor.replace(self._parts[name])

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
        listening.close(self._sockets)
        self._keep_logs()

    def _keep_logs(self) -> None:
        """Their disk is gone with the namespace."""
        (self.root / "logs").mkdir(exist_ok=True)
        for log in (self.root / LOGS).glob("*.log*"):
            shutil.copy(log, self.root / "logs")

    async def is_up(self) -> bool:
        """Whether every part runs, and those that listen are ready."""
        if self.pids.keys() != self._parts.keys():
            return False
        ports = (self._web_port, self._collector_port)
        ready = [probes.answers_health("127.0.0.1", port) for port in ports]
        return all(await asyncio.gather(*ready))

    def _new_supervisor(self) -> Supervisor:
        (self.root / LOGS).mkdir(exist_ok=True)
        return Supervisor(self.root / LOGS, self._say)

    def _fill_in(self, later: timedelta) -> tuple[str, str, str]:
        """The schema and the demo; keys of snippets in use, not yet in use, and of old hits.

        The next version of the first one's event takes what that refuses.
        """
        database.migrate(self.settings)
        made = {
            one["slug"]: one["snippet_key"] for one in ensure_demo(self.settings)["definitions"]
        }
        with database.connect(self.settings.database_url) as connection:
            now = datetime.now(UTC)
            _next_version(connection, made["booking"], "takes", now, _REMARK)
            _next_version(connection, made["poll-vote"], "later", now + later)
            connection.execute("UPDATE definition SET ttl_days = 7 WHERE slug = 'loyalty-tier'")
        return made["booking"], "later", made["loyalty-tier"]

    async def _open_links(self, layout: places.Layout) -> None:
        sockets = {"postgres": layout.run / ".s.PGSQL.5432", "valkey": layout.run / "valkey.sock"}
        for process in PROCESSES:
            for server in SERVERS:
                link = Link(f"{process} to {server}", sockets[server])
                await link.open()
                self.links[process, server] = link

    def _server(self, part: Part) -> Part:
        environment = {**part.environment, **self._clock(part.name)}
        return replace(part, lock=self.lock(part.name), environment=environment)

    def _process(self, name: str) -> Part:
        kind = name.partition("-")[0]
        to_postgres, to_valkey = (self.links[name, server].port for server in SERVERS)
        settings = replace(
            self.settings,
            database_url=f"postgresql://pintag@127.0.0.1:{to_postgres}/pintag",
            redis_url=f"redis://127.0.0.1:{to_valkey}",
            web_port=self._web_port,
            collector_port=self._collector_port,
        )
        command = {"worker": ("worker",), "jobs": ("worker.jobs",)}.get(kind, ("tracker.cli", kind))
        part = Part(
            name=name,
            command=(sys.executable, "-m", *command),
            is_ready=probes.started,
            environment={**_inherited(), **environment_of(settings), **self._clock(name)},
            stops=1,
        )
        if kind == "web":
            is_ready = partial(probes.answers_health, "127.0.0.1", self._web_port)
            return replace(part, is_ready=is_ready, stops=0)
        return part if kind == "jobs" else self._that_says_when_it_is_ready(part)

    def _clock(self, name: str) -> Mapping[str, str]:
        return self.clocks[name].environment if self.clocks else {}

    def _that_says_when_it_is_ready(self, part: Part) -> Part:
        """A worker, or a collector behind the socket."""
        notices = Notices(self.root / f"{part.name}.notices")
        part = replace(
            part,
            is_ready=notices.is_ready,
            environment={**part.environment, "NOTIFY_SOCKET": str(notices.path)},
        )
        if part.name in WORKERS:
            return part
        return replace(
            part,
            command=(*part.command, *listening.options(self._sockets)),
            stops=0,
            descriptors=tuple(one.fileno() for one in self._sockets),
        )


def _inherited() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PINTAG") and name not in ("DATABASE_URL", "REDIS_URL")
    }


def _next_version(
    connection: psycopg.Connection, key: str, name: str, usable_from: datetime, more: str = "[]"
) -> None:
    """Make the next version of a snippet's event, as an edit would; the name is its snippet's key.

    more: fields that it has besides, in JSON.
    """
    connection.execute(
        "WITH made AS (INSERT INTO version"
        " (public_id, definition_id, number, fields, created_at, usable_from)"
        " SELECT 'ver_' || %(name)s, definition_id, number + 1, fields || %(more)s::jsonb,"
        " version.created_at, %(from)s"
        " FROM version JOIN snippet ON version_id = id WHERE key = %(key)s RETURNING *)"
        " INSERT INTO snippet (key, version_id, created_at)"
        " SELECT %(name)s, id, created_at FROM made",
        {"name": name, "more": more, "from": usable_from, "key": key},
    )
    connection.execute("UPDATE installation SET revision = revision + 1")
