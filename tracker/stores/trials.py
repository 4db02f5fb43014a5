"""Trials: what hits for trying out would have become, for a day, in a Redis stream of its own.

Workers publish them and `pintag snippet watch` reads them. No other file knows this stream; it
has nothing to do with the hit queue, and nothing but the watching is lost with it.
"""

import re
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import redis

from tracker.rules.told import ToldHit

STREAM = "pintag:trials"
MOST, SECONDS = 1_000, 24 * 3600
"""How many trials are kept, and how long."""
_BLOCK_MS = 1_000
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ToldHit).decode


def publish(client: redis.Redis, trials: Sequence[ToldHit]) -> None:
    """Add trials, and let go of those that are too many or too old. Raises redis.RedisError."""
    with client.pipeline(transaction=False) as pipeline:
        for trial in trials[-MOST:]:
            pipeline.xadd(STREAM, {b"t": _encode(trial)}, maxlen=MOST, approximate=False)
        pipeline.xtrim(STREAM, minid=f"{(int(time.time()) - SECONDS) * 1000}", approximate=False)
        pipeline.expire(STREAM, SECONDS)
        pipeline.execute()


def newest(client: redis.Redis) -> str:
    """The place after all trials that there are. Raises redis.RedisError."""
    last: Any = client.xrevrange(STREAM, count=1)
    return last[0][0].decode() if last else OLDEST


OLDEST = "0-0"
"""The place before all trials."""


def is_place(text: str) -> bool:
    """Whether a text that somebody sent can be a place."""
    return re.fullmatch(r"[0-9]{1,15}-[0-9]{1,15}", text) is not None


def read(client: redis.Redis, after: str, *, wait: bool = True) -> tuple[list[ToldHit], str]:
    """The trials after a place, and the place after them; waits a second for the first.

    Raises redis.RedisError.
    """
    reply: Any = client.xread({STREAM: after}, block=_BLOCK_MS if wait else None)
    entries = [entry for found in reply.values() for entry in found] if reply else []
    trials = [_decode(fields[b"t"]) for _, fields in entries]
    return trials, entries[-1][0].decode() if entries else after


def forget(client: redis.Redis) -> None:
    """Delete all trials: somebody was erased who may be in them. Raises redis.RedisError."""
    client.delete(STREAM)
