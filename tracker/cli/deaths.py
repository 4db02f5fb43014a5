"""Processes that died while they were kept running, on their way to whoever watches."""

import asyncio
import os
import socket
import time
from collections import deque

import redis

from tracker.rules.troubles import Trouble
from tracker.stores import hit_queue, processes
from tracker.stores.reporting import PATIENCE

AGAIN_SECONDS = 1.0
"""After which a Redis that is away is asked again; it may be what died."""


class Deaths:
    """Told to Redis, in their order."""

    def __init__(self) -> None:
        self._noted: deque[tuple[int, Trouble]] = deque()
        self._new = asyncio.Event()

    def note(self, name: str, pid: int, how: str) -> None:
        """A process died; how: "ended by signal 9", say."""
        words = f"{name} {how}; it is started again"
        now_ms = time.time_ns() // 1_000_000
        self._noted.append((pid, Trouble("warning", "process_died", words, now_ms)))
        self._new.set()

    async def tell(self, redis_url: str) -> None:
        """Tell of all that died and will die, until this is cancelled."""
        with hit_queue.connect(redis_url, PATIENCE) as client:
            while True:
                while self._noted:
                    await self._tell(client)
                self._new.clear()
                await self._new.wait()

    async def _tell(self, client: redis.Redis) -> None:
        pid, trouble = self._noted[0]
        host = socket.gethostname()
        teller = f"supervisor:{host}:{os.getpid()}"
        try:
            await asyncio.to_thread(processes.bury, client, host, pid, trouble, teller)
        except (redis.RedisError, OSError):
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            self._noted.popleft()
