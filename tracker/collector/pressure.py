"""Whether the hit queue is too full for more, as the hot path asks: by one look at a number."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

import redis
import structlog

from tracker.collector.key_ring import KeyRing
from tracker.rules.backpressure import Depth, Marks, fullness, retry_after
from tracker.settings import Settings

SLOW, QUICK = 0.25, 0.1
"""Seconds between two looks; quick from half of a mark on. Within them no Redis should get from
there to its limit: a collector that is sent all it can take fills it by some 20 MB a second."""

log = structlog.get_logger("collector")


class AskDepth(Protocol):
    """Asks how full these partitions are. Raises redis.RedisError."""

    async def __call__(self, partitions: Iterable[int], *, aged: bool) -> Depth: ...


class Pressure:
    """retry_after: 0 while hits are taken, else in how many seconds their senders may try again."""

    def __init__(self, ask: AskDepth, keys: KeyRing, settings: Settings) -> None:
        self._ask, self._keys = ask, keys
        self._marks = Marks(settings.queue_percent, settings.queue_hits, settings.queue_seconds)
        self._full = 0.0
        self.retry_after = 0

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(QUICK if self._full > 0.5 else SLOW)
            try:
                await self.look()
            except Exception as error:  # without this task the queue could overflow
                log.error("look_failed", error=repr(error))

    async def look(self) -> None:
        """Ask Redis. While it is away, what was known before stands."""
        try:
            partitions = range(self._keys.partitions)
            depth = await self._ask(partitions, aged=self._marks.seconds > 0)
        except (redis.RedisError, OSError):
            return
        self._full = fullness(depth, self._marks)
        before, self.retry_after = self.retry_after, retry_after(self._full, self.retry_after > 0)
        if bool(before) != bool(self.retry_after):
            what = "queue_full" if self.retry_after else "queue_has_room"
            log.warning(what, hits=depth.hits, bytes=depth.memory, seconds=depth.seconds)
