"""The hit queue: Redis streams, one a partition. No other file knows the stream protocol.

An entry has the fields `k` (snippet key), `s` (the envelope's `sent`) and `h` (the hit's JSON),
always these three: streams compress entries that have the same names in the same order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from tracker.rules.hits import QueuedHit

EPOCH_KEY = "pintag:epoch"
START = "0-0"


def stream(partition: int) -> str:
    """The name of a partition's stream; the braces keep it in one slot of a Redis Cluster."""
    return f"pintag:hits:{{{partition}}}"


def connect(url: str) -> redis.Redis:
    """A client for everything but the collector's appends. Raises nothing until it is used."""
    return redis.Redis.from_url(url, legacy_responses=False, socket_timeout=10)


# -- the collector's side

_ADD = b"*9\r\n$4\r\nXADD\r\n%b$1\r\n*\r\n$1\r\nk\r\n%b$1\r\ns\r\n%b$1\r\nh\r\n$%d\r\n%b\r\n"


def _bulk(text: str) -> bytes:
    data = text.encode()
    return b"$%d\r\n%b\r\n" % (len(data), data)


STREAM_BULKS = [_bulk(stream(number)) for number in range(256)]


def pack_append(partition: int, key: bytes, sent: bytes, raw: bytes | memoryview) -> bytes:
    """The RESP command that appends one hit; `key` and `sent` packed by `pack_text`."""
    return _ADD % (STREAM_BULKS[partition], key, sent, len(raw), raw)


def pack_text(text: str) -> bytes:
    """A snippet key or a `sent`, packed for `pack_append`."""
    return _bulk(text)


# -- the worker's side


def read(
    client: redis.Redis, after: Mapping[int, str], count: int, block_ms: int
) -> dict[int, list[QueuedHit]]:
    """Up to `count` hits of each partition after its stream id; waits `block_ms` for the first.

    Partitions with nothing new are left out. Raises redis.RedisError.
    """
    reply: Any = client.xread(
        {stream(number): last for number, last in after.items()}, count=count, block=block_ms
    )
    names = {stream(number).encode(): number for number in after}
    return {
        names[name]: [_hit(names[name], stream_id, entry) for stream_id, entry in entries]
        for name, entries in reply.items()
    }


def _hit(partition: int, stream_id: bytes, entry: dict[bytes, bytes]) -> QueuedHit:
    return QueuedHit(
        partition, stream_id.decode(), entry[b"k"].decode(), int(entry[b"s"]), entry[b"h"]
    )


def trim(client: redis.Redis, committed: Mapping[int, str]) -> None:
    """Remove every entry up to and including the committed stream id of each partition."""
    with client.pipeline(transaction=False) as pipeline:
        for number, last in committed.items():
            milliseconds, _, sequence = last.partition("-")
            keep_from = f"{milliseconds}-{int(sequence) + 1}"
            pipeline.xtrim(stream(number), minid=keep_from, approximate=False)
        pipeline.execute()


@dataclass(frozen=True, slots=True)
class QueueState:
    """A partition's stream: entries ever added by Redis's own count, and those still queued."""

    added: int
    queued: int


def state(client: redis.Redis, partition: int, last_id: str) -> QueueState:
    """The partition's state at one moment; `last_id` is the last one committed."""
    name = stream(partition)
    with client.pipeline(transaction=True) as pipeline:
        pipeline.xinfo_stream(name)
        pipeline.xlen(name)
        # Entries at or before last_id are committed but not trimmed yet.
        pipeline.xrange(name, max=last_id)
        info, length, leftover = pipeline.execute(raise_on_error=False)
    if isinstance(info, redis.ResponseError):  # no such stream: nothing was ever added
        return QueueState(0, 0)
    return QueueState(int(info["entries-added"]), length - len(leftover))


def get_epoch(client: redis.Redis) -> str:
    """The queue's epoch as Redis has it; empty when Redis is new or lost its data."""
    value: Any = client.get(EPOCH_KEY)
    return value.decode() if value else ""


def set_epoch(client: redis.Redis, epoch: str) -> bool:
    """Begin an epoch in a Redis that has none; False when there is one already."""
    return bool(client.set(EPOCH_KEY, epoch, nx=True))
