"""Hosted scripts, by the hash in their addresses."""

import asyncio

from redis.asyncio import Redis

from tracker.collector import encodings
from tracker.stores import key_table

MOST_KEPT = 16
"""A release has one script; pages that pasted older snippets ask for those of older releases."""
AT_ONCE = 10
"""Scripts that are looked for at a time: anybody can ask for any, and there are only so many
connections to Redis, by which queue and key table are looked at, too."""


class Scripts:
    """Reads scripts from Redis once: a name is the hash of its content, so it never changes.

    Each is compressed once, too, when somebody asks for it; all are kept in each encoding.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._kept: dict[str, dict[str, bytes]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def get(self, name: str, encoding: str = "identity") -> bytes | None:
        """A script's body, encoded; None where there is none. Raises redis.RedisError."""
        kept = self._kept.get(name)
        if kept is None:
            async with self._turns:
                body = await key_table.read_script(self._client, name)
            if body is None:
                return None
            kept = {each: encodings.encode(body, each) for each in encodings.PREFERRED}
            if name not in self._kept and len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[name] = kept
        return kept[encoding]
