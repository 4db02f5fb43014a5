"""The loss ledger in Redis: how many hits senders say they had to give up, by snippet key.

The count goes in after the hits of the request that reports it: when Redis has the count, the
queue has the hits. So it is "at least": who never comes back reports nothing; and a request
that is sent again because its answer got lost counts twice.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import redis

from tracker.stores.snippets import PinnedSnippet

LOST = "pintag:lost"
MOST = 1_000_000
"""More in one request count as this many: a sum past 64 bits would be an error of every request."""


def pack_lost(key: bytes, count: int) -> bytes:
    """The RESP command that adds to a snippet's count; the key is packed by hit_queue.pack_text."""
    digits = b"%d" % min(count, MOST)
    return b"*4\r\n$7\r\nHINCRBY\r\n$11\r\n%b\r\n%b$%d\r\n%b\r\n" % (
        LOST.encode(),
        key,
        len(digits),
        digits,
    )


def total(client: redis.Redis) -> int:
    """What all snippets' senders gave up, those with retired keys included."""
    counts: Any = client.hvals(LOST)
    return sum(map(int, counts))


def counted(client: redis.Redis, found: Sequence[PinnedSnippet]) -> list[PinnedSnippet]:
    """The snippets with their counts. Raises redis.RedisError."""
    if not found:
        return []
    counts: Any = client.hmget(LOST, [snippet.key for snippet in found])
    return [
        msgspec.structs.replace(snippet, lost=int(count or 0))
        for snippet, count in zip(found, counts, strict=True)
    ]
