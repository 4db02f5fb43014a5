"""The collector's copy of the key table, and how sure it is of it."""

import asyncio

import redis
from redis.asyncio import Redis

from tracker.stores import key_table
from tracker.stores.key_table import KeyEntry


class KeyRing:
    """Snippet keys in memory, as of one revision of the database.

    `current` says whether a worker confirmed that the database has no newer revision. An entry
    that lets hits in is good enough without it; a refusal for good is not.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._entries: dict[str, KeyEntry] = {}
        self._revision = -1
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self.partitions = 0
        self.current = False

    def get(self, key: str) -> KeyEntry | None:
        return self._entries.get(key)

    async def refresh(self) -> None:
        """Look into Redis, beginning after this call; calls that wait together share one look.

        A look that began earlier may have missed what the caller's user has just switched on.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
        await asyncio.shield(self._next)

    async def _after(self, running: asyncio.Task[None] | None) -> None:
        if running is not None:
            await asyncio.wait([running])
        self._running, self._next = self._next, None
        try:
            await self._look()
        except (redis.RedisError, OSError):
            self.current = False
        finally:
            self._running = None

    async def _look(self) -> None:
        meta, current = await key_table.read_meta(self._client)
        if meta is not None and meta.revision != self._revision:
            meta, self._entries = await key_table.read_entries(self._client)
        if meta is None:
            self.current = False
            return
        self._revision, self.partitions = meta.revision, meta.partitions
        self.current = current
