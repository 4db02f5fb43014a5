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
PATIENCE = 3.0
"""Seconds after which one that could not be read is given up, its wait for a turn included."""


class Scripts:
    """Reads scripts from Redis once: a name is the hash of its content, so it never changes.

    Each is compressed once, too, when somebody asks for it; all are kept in each encoding.
    """

    def __init__(self, client: Redis, patience: float = PATIENCE) -> None:
        self._client, self._patience = client, patience
        self._kept: dict[str, dict[str, bytes]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def get(self, name: str, encoding: str = "identity") -> bytes | None:
        """A script's body, encoded; None where there is none. Raises redis.RedisError, OSError."""
        kept = self._kept.get(name) or await self._read(name)
        return kept[encoding] if kept else None

    async def _read(self, name: str) -> dict[str, bytes] | None:
        async with asyncio.timeout(self._patience), self._turns:
            body = await key_table.read_script(self._client, name)
        if body is None:
            return None
        if name not in self._kept:  # nobody else has read it meanwhile
            if len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            encoded = {each: encodings.encode(body, each) for each in encodings.PREFERRED}
            self._kept[name] = encoded
        return self._kept[name]
