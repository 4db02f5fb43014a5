"""`pintag collector --processes N`: one process keeps the sockets, collectors behind it serve them.

What the system has put into a socket waits there for the next collector that looks, so nothing is
refused or reset when one of them ends. They run the code that is installed when they start.
"""

import asyncio
import math
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from tracker import listening, logs
from tracker.cli.deaths import Deaths
from tracker.embedded.errors import PartError
from tracker.embedded.processes import Part
from tracker.embedded.supervisor import Supervisor
from tracker.settings import Settings

READY_SECONDS = 60.0
"""Within which a new collector must be able to take hits; else the old ones stay."""

log = structlog.get_logger("collectors")


def serve(settings: Settings, processes: int, descriptors: Sequence[int] = ()) -> None:
    """Keep collectors running until SIGTERM or SIGINT; SIGHUP replaces them one by one.

    Raises SettingsError where it can't listen, and EmbeddedError where they can't start.
    """
    logs.configure()
    kept = listening.kept(
        "collector", settings.collector_host, settings.collector_port, descriptors
    )
    with tempfile.TemporaryDirectory(prefix="pintag-") as folder:
        parts = list(_parts(processes, kept, Path(folder)))
        asyncio.run(Collectors(parts, kept, settings.redis_url).run())


@dataclass
class Collectors:
    """The collectors, and the sockets that are kept for them."""

    parts: Sequence[Part]
    sockets: Sequence[socket.socket]
    redis_url: str
    deaths: Deaths = field(default_factory=Deaths)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _renew: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(None, log.warning, died=self.deaths.note)

    async def run(self) -> None:
        """Until a signal says to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._renew.set)
        working = asyncio.create_task(self._work())
        stopping = asyncio.create_task(self._stop.wait())
        telling = asyncio.create_task(self.deaths.tell(self.redis_url))
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            working.cancel()
            stopping.cancel()
            telling.cancel()
            await asyncio.gather(working, stopping, telling, return_exceptions=True)
            listening.close(self.sockets)
            await self.supervisor.stop()

    def _end(self) -> None:
        (self.supervisor.hurry if self._stop.is_set() else self._stop).set()

    async def _work(self) -> None:
        await self.supervisor.start(*self.parts)
        listening.tell(listening.READY)
        while True:
            await self._renew.wait()
            self._renew.clear()
            await self._replace()

    async def _replace(self) -> None:
        """One after the other; the first that fails ends it, and those that run go on."""
        try:
            for part in self.parts:
                await self.supervisor.replace(part, within=READY_SECONDS)
        except PartError as error:
            log.error("not_replaced", error=str(error))
        else:
            log.info("replaced", collectors=len(self.parts))


class Notices:
    """Where a collector says that it is ready."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))

    async def is_ready(self) -> bool:
        """Whether somebody has said so since this was asked last."""
        with suppress(BlockingIOError):
            return self._socket.recv(4096) == listening.READY
        return False


def _parts(processes: int, kept: Sequence[socket.socket], folder: Path) -> Iterator[Part]:
    descriptors = tuple(one.fileno() for one in kept)
    command = (sys.executable, "-m", "tracker.cli", "collector", *listening.options(kept))
    for number in range(1, processes + 1):
        notices = Notices(folder / str(number))
        yield Part(
            f"collector {number}",
            command,
            notices.is_ready,
            {**os.environ, "NOTIFY_SOCKET": str(notices.path)},
            death_signal=signal.SIGTERM,  # it answers what is under way, and ends
            startup=math.inf,  # it refuses hits while Redis is away, and is ready afterwards
            descriptors=descriptors,
        )
