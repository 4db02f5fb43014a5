"""Live hits: what became of hits, for whoever watches their section as they come, by Redis pub/sub.

Nothing is kept: what nobody listens to is gone as it is said. No other file knows these channels.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
import redis
import redis.asyncio

from tracker.rules.outcomes import Outcome
from tracker.rules.told import ToldHit

_CHANNEL = "pintag:live:"


class LiveBatch(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of hits of a section: some are told, the oldest first, the others counted.

    more: how many these others are, by outcome. One without either says that a worker is there.
    """

    hits: Sequence[ToldHit] = ()
    more: Mapping[Outcome, int] = {}


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LiveBatch).decode


def channel(section_id: int) -> str:
    """What is published about a section goes here."""
    return f"{_CHANNEL}{section_id}"


def watched(client: redis.Redis) -> frozenset[int]:
    """The ids of sections that somebody watches. Raises redis.RedisError."""
    names: Any = client.pubsub_channels(f"{_CHANNEL}*")
    ids = (name.decode().removeprefix(_CHANNEL) for name in names)
    return frozenset(int(id_) for id_ in ids if id_.isascii() and id_.isdecimal())


def publish(client: redis.Redis, batches: Mapping[int, LiveBatch]) -> None:
    """Tell those who watch, by section. Raises redis.RedisError."""
    with client.pipeline(transaction=False) as pipeline:
        for section_id, batch in batches.items():
            pipeline.publish(channel(section_id), _encode(batch))
        pipeline.execute()


async def follow(
    redis_url: str, section_id: int, patience: float
) -> AsyncGenerator[LiveBatch | None, None]:
    """The section's batches as they are published, until it is closed.

    None comes where there was nothing for `patience` seconds. Raises redis.RedisError.
    """
    async with (
        redis.asyncio.Redis.from_url(redis_url, legacy_responses=False) as client,
        aclosing(client.pubsub(ignore_subscribe_messages=True)) as listener,
    ):
        await listener.subscribe(channel(section_id))
        while True:
            message = await listener.get_message(timeout=patience)
            yield _decode(message["data"]) if message else None
