"""One connection to Redis that speaks RESP directly: packed commands go out, replies are counted.

Commands that are appended in one turn of the event loop leave in one write.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import hiredis
import msgspec
import structlog
from hiredis import ReplyError

MAX_PENDING = 50_000
MAX_PENDING_BYTES = 64_000_000


log = structlog.get_logger("collector")

Done = Callable[[str | None], None]
"""Hears once what came of an append: None when Redis has it, else why it may not have it."""


class _Request(msgspec.Struct):
    replies: int
    size: int
    done: Done
    since: float
    error: str | None = None


class RedisConnection(asyncio.Protocol):
    """Lives from `connection_made` to `lost`; what is appended later, or waits then, fails."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._buffer: list[bytes] = []
        self._waiting: deque[_Request] = deque()
        self._pending = 0
        self._pending_bytes = 0
        self.lost = asyncio.Event()

    def append(self, commands: list[bytes], done: Done) -> bool:
        """Send packed commands; `done` is called, later, when Redis has answered every one of them.

        In the order of appends. False where nothing was sent, as there is no connection, or too
        much waits for Redis: then `done` is not called.
        """
        packed = b"".join(commands)
        count, size = len(commands), len(packed)
        if (
            self._transport is None
            or self._pending + count > MAX_PENDING
            or self._pending_bytes + size > MAX_PENDING_BYTES
        ):
            return False
        if not self._buffer:
            self._loop.call_soon(self._flush)
        self._buffer.append(packed)
        self._pending += count
        self._pending_bytes += size
        self._waiting.append(_Request(count, size, done, self._loop.time()))
        return True

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._buffer))
        self._buffer.clear()

    def waits(self) -> float:
        """For how many seconds the oldest unanswered append has waited."""
        return self._loop.time() - self._waiting[0].since if self._waiting else 0.0

    def close(self) -> None:
        """End it; what waits for an answer fails."""
        if self._transport is not None:
            self._transport.abort()

    # -- called by the event loop

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            self._take(reply)

    def _take(self, reply: object) -> None:
        request = self._waiting[0]
        request.replies -= 1
        self._pending -= 1
        if isinstance(reply, ReplyError):
            request.error = str(reply)
        if request.replies == 0:
            self._waiting.popleft()
            self._pending_bytes -= request.size
            _tell(request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._buffer.clear()
        while self._waiting:
            request = self._waiting.popleft()
            request.error = "the connection to Redis was lost"
            _tell(request)
        self.lost.set()


def _tell(request: _Request) -> None:
    """What goes wrong with one sender must not keep the others from their answers."""
    try:
        request.done(request.error)
    except Exception as error:
        log.error("unanswered", error=repr(error))
