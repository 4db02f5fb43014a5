"""One connection to Redis that speaks RESP directly: packed commands go out, replies are counted.

Appends leave in groups, each in one write: Redis syncs once for all of a group, and a sync costs it
and the machine as much as several hits do. Whoever comes alone waits for nobody.
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
PACE_SECONDS = 0.003
"""From one group to the next, unless it is ENOUGH: appends may be answered this much later."""
ENOUGH = 32
"""Appends of a group that waits only until the event loop's turn ends."""


log = structlog.get_logger("collector")

Done = Callable[[str | None], None]
"""Hears once what came of an append: None when Redis has it, else why it may not have it."""
Senders = Callable[[], int]
"""How many may append at the moment, one thing each."""


def many() -> int:
    """More than there are."""
    return MAX_PENDING


class _Request(msgspec.Struct):
    replies: int
    size: int
    done: Done
    since: float
    error: str | None = None


class RedisConnection(asyncio.Protocol):
    """Lives from `connection_made` to `lost`; what is appended later, or waits then, fails.

    Where all senders wait already, a group waits for nobody.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, senders: Senders) -> None:
        self._loop, self._senders = loop, senders
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._group: list[bytes] = []
        self._next = 0.0
        self._timer: asyncio.Handle | None = None
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
        now = self._loop.time()
        if not self._group:
            self._begin_group(now)
        self._group.append(packed)
        self._pending += count
        self._pending_bytes += size
        self._waiting.append(_Request(count, size, done, now))
        if self._timer is not None and self._is_whole():
            self._timer.cancel()
            self._timer = None
            self._loop.call_soon(self._leave)
        return True

    def _begin_group(self, now: float) -> None:
        if now < self._next:
            self._timer = self._loop.call_later(self._next - now, self._leave)
        else:
            self._loop.call_soon(self._leave)

    def _is_whole(self) -> bool:
        """Whether there is nobody whom the group has a reason to wait for."""
        return len(self._group) >= ENOUGH or len(self._waiting) >= self._senders()

    def _leave(self) -> None:
        self._timer = None
        self._next = self._loop.time() + PACE_SECONDS
        if self._transport is not None:
            self._transport.write(b"".join(self._group))
        self._group.clear()

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
            if request.error.startswith("READONLY"):
                self.close()  # Its name may lead to another by now, which connecting anew finds.
        if request.replies == 0:
            self._waiting.popleft()
            self._pending_bytes -= request.size
            _tell(request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._group.clear()
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
