"""Appends to the hit queue: what arrives in one turn of the event loop shares one round trip.

A connection of its own that speaks RESP directly: packed commands go out, and replies are only
counted. Redis flushes its append-only file once for all it received together, so under load the
price of a flush to disk is shared by many hits.
"""

import asyncio
from collections import deque
from typing import Any

import hiredis
import structlog
from redis.connection import parse_url

CONNECT_SECONDS = 5.0
PATIENCE_SECONDS = 5.0
MAX_PENDING = 50_000

log = structlog.get_logger("collector")


class QueueAwayError(Exception):
    """Redis did not confirm an append: it may or may not have it, so the sender must retry."""


class _Request:
    __slots__ = ("error", "future", "replies", "since")

    def __init__(self, replies: int, future: asyncio.Future[None], since: float) -> None:
        self.replies = replies
        self.future = future
        self.since = since
        self.error: str | None = None


class GroupCommit(asyncio.Protocol):
    """One connection to Redis that appends commands, and comes back when it is lost."""

    def __init__(self, url: str) -> None:
        self._address: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._buffer: list[bytes] = []
        self._waiting: deque[_Request] = deque()
        self._pending = 0
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()

    # -- used by the collector

    async def start(self) -> None:
        """Connect now if Redis is there, and keep connected until `stop`."""
        self._loop = asyncio.get_running_loop()
        await self._try_connect()
        self._keeper = asyncio.create_task(self._keep_connected())

    async def stop(self) -> None:
        """Close the connection; appends that are under way fail."""
        if self._keeper:
            self._keeper.cancel()
        if self._transport:
            self._transport.close()

    def append(self, commands: list[bytes]) -> asyncio.Future[None]:
        """Send packed commands; the future ends when Redis has answered every one of them.

        It ends in QueueAwayError if Redis refused one of them or went away.
        """
        future = self._loop.create_future()
        if self._transport is None or self._pending + len(commands) > MAX_PENDING:
            future.set_exception(QueueAwayError("no connection, or too much waits for Redis"))
            return future
        if not self._buffer:
            self._loop.call_soon(self._flush)
        self._buffer += commands
        self._pending += len(commands)
        self._waiting.append(_Request(len(commands), future, self._loop.time()))
        return future

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._buffer))
        self._buffer.clear()

    # -- the connection

    async def _keep_connected(self) -> None:
        pause = 0.05
        while True:
            if self._transport is None:
                pause = 0.05 if await self._try_connect() else min(pause * 2, 1.0)
            self._lost.clear()
            try:
                await asyncio.wait_for(self._lost.wait(), pause if not self._transport else 1.0)
            except TimeoutError:
                self._check_patience()

    async def _try_connect(self) -> bool:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                transport, _ = await self._open()
        except OSError as error:
            log.warning("redis_away", error=str(error))
            return False
        self._reader = hiredis.Reader()
        self._transport = transport
        return await self._introduce()

    async def _open(self) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        if "path" in self._address:
            return await self._loop.create_unix_connection(lambda: self, self._address["path"])
        secure = "ssl" in getattr(self._address.get("connection_class"), "__name__", "").lower()
        return await self._loop.create_connection(
            lambda: self,
            self._address.get("host", "localhost"),
            self._address.get("port", 6379),
            ssl=True if secure else None,
        )

    async def _introduce(self) -> bool:
        commands: list[bytes] = []
        if password := self._address.get("password"):
            user = self._address.get("username")
            commands.append(hiredis.pack_command(("AUTH", *filter(None, [user]), password)))
        if database := self._address.get("db"):
            commands.append(b"SELECT %d\r\n" % int(database))
        commands.append(hiredis.pack_command(("PING",)))
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.append(commands)
        except (QueueAwayError, TimeoutError) as error:
            log.warning("redis_refused", error=str(error))
            if self._transport:
                self._transport.abort()
            return False
        return True

    def _check_patience(self) -> None:
        """Give a Redis up that is connected but silent: senders must not wait for it for ever."""
        if self._waiting and self._loop.time() - self._waiting[0].since > PATIENCE_SECONDS:
            log.warning("redis_silent", seconds=PATIENCE_SECONDS)
            if self._transport:
                self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            self._take(reply)

    def _take(self, reply: object) -> None:
        request = self._waiting[0]
        request.replies -= 1
        self._pending -= 1
        if isinstance(reply, hiredis.ReplyError):
            request.error = str(reply)
        if request.replies == 0:
            self._waiting.popleft()
            self._finish(request)

    def _finish(self, request: _Request) -> None:
        if request.future.done():
            return
        if request.error is None:
            request.future.set_result(None)
        else:
            request.future.set_exception(QueueAwayError(request.error))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._buffer.clear()
        self._pending = 0
        while self._waiting:
            request = self._waiting.popleft()
            request.error = "the connection to Redis was lost"
            self._finish(request)
        self._lost.set()
