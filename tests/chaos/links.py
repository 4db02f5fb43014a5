"""The network between a process and a server: a TCP proxy that can be cut, in several ways."""

import asyncio
import socket
import struct
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import cast

_CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER, for no seconds: closing sends RST


class Cut(StrEnum):
    """How a connection is cut."""

    DROPPED = "dropped"  # closed in good order, new ones too
    RESET = "reset"  # the same with a reset
    SILENT = "silent"  # nothing comes through, and nobody hears of it
    DEAF = "deaf"  # what is sent arrives, the answers do not


class Link:
    """A port of loopback that leads to a server's Unix socket."""

    def __init__(self, name: str, target: Path) -> None:
        self.name = name
        self.port = 0
        self._target = target
        self._cut: Cut | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, how: Cut) -> None:
        self._cut = how
        if how in (Cut.DROPPED, Cut.RESET):
            self._end_all(reset=how is Cut.RESET)

    def mend(self) -> None:
        """Let everything through again; what was silenced has been given up meanwhile."""
        self._cut = None
        self._end_all(reset=True)

    def _end_all(self, reset: bool) -> None:
        for writer in self._writers:
            _end(writer, reset)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with suppress(OSError):
                await self._connect(reader, writer)
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            _end(writer, reset=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut in (Cut.DROPPED, Cut.RESET):
            return
        there, back = await asyncio.open_unix_connection(self._target)
        self._writers.add(back)
        try:
            halves = (self._pump(reader, back, False), self._pump(there, writer, True))
            pumps = [asyncio.create_task(half) for half in halves]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._writers.discard(back)
            _end(back, reset=False)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_answer: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._cut is Cut.SILENT or (self._cut is Cut.DEAF and is_answer):
                    continue
                writer.write(data)
                await writer.drain()


def _end(writer: asyncio.StreamWriter, reset: bool) -> None:
    connection = writer.get_extra_info("socket")
    with suppress(OSError, AttributeError):
        if reset and connection.family == socket.AF_INET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort() if reset else writer.close()
