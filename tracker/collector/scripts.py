"""Hosted scripts, by the hash in their addresses."""

from redis.asyncio import Redis

from tracker.stores import key_table

MOST_KEPT = 16
"""A release has one script; pages that pasted older snippets ask for those of older releases."""


class Scripts:
    """Reads scripts from Redis once: a name is the hash of its content, so it never changes."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._kept: dict[str, bytes] = {}

    async def get(self, name: str) -> bytes | None:
        """A script's body; None where there is none. Raises redis.RedisError."""
        body = self._kept.get(name) or await key_table.read_script(self._client, name)
        if body is not None and name not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[name] = body
        return body
