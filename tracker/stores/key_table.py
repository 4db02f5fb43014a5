"""The key table in Redis: what a collector must know of each snippet key, and hosted scripts.

`meta` says which database revision the table shows and how many partitions there are.
`confirmed` is a lease: while it lives, a worker has just seen that the database has no newer
revision. Without the lease a key that is absent, or off, may have been put in since.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import redis
from redis.asyncio import Redis as AsyncRedis

KEYS = "pintag:keys"
SCRIPTS = "pintag:scripts"
META = "pintag:keys:meta"
CONFIRMED = "pintag:keys:confirmed"
REFUSALS = "pintag:refusals"
LEASE_MS = 5_000


class KeyEntry(msgspec.Struct, frozen=True, array_like=True):
    """What a collector must know of a snippet key; state is `on`, or a refusal's name.

    origins: patterns (rules/origins.py), of which none lets in every origin; until: Unix
    milliseconds at which a key that was replaced ends; 0 for good; addresses: what to keep of
    senders' IP addresses: `whole`, `truncated` or `none`.
    """

    state: str
    origins: list[str] = []
    strict: bool = False
    until: int = 0
    addresses: str = "none"


class TableMeta(msgspec.Struct, frozen=True):
    """Which revision of the database the table shows, and the number of partitions."""

    revision: int
    partitions: int


_entry = msgspec.json.Decoder(KeyEntry)
_meta = msgspec.json.Decoder(TableMeta)

# An older publisher must never write over a newer one's table: the check and the write are one.
_PUBLISH = """
local meta = redis.call('GET', KEYS[1])
if meta and cjson.decode(meta).revision > tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[2], KEYS[3])
for i = 4, 3 + 2 * tonumber(ARGV[3]), 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
for i = 4 + 2 * tonumber(ARGV[3]), #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""


def publish(
    client: redis.Redis,
    meta: TableMeta,
    entries: Mapping[str, KeyEntry],
    scripts: Mapping[str, str],
) -> bool:
    """Replace the table unless Redis has a newer one. Raises redis.RedisError."""
    flat: list[str | bytes] = []
    for key, entry in entries.items():
        flat += [key, msgspec.json.encode(entry)]
    for name, body in scripts.items():
        flat += [name, body]
    encoded = msgspec.json.encode(meta)
    done: Any = client.eval(
        _PUBLISH, 3, META, KEYS, SCRIPTS, meta.revision, encoded, len(entries), *flat
    )
    return bool(done)


def published_revision(client: redis.Redis) -> int | None:
    """The revision that the table in Redis shows; None where there is no table."""
    meta: Any = client.get(META)
    return _meta.decode(meta).revision if meta else None


def partitions(client: redis.Redis) -> int:
    """The number of partitions, for those who can't ask the database; 0 where there is no table."""
    meta: Any = client.get(META)
    return _meta.decode(meta).partitions if meta else 0


def withdraw(client: redis.Redis) -> None:
    """Take the table away: until one is published again, collectors refuse nothing for good."""
    client.delete(META, CONFIRMED)


def confirm(client: redis.Redis, revision: int) -> None:
    """Say that the database has no newer revision than this one, for the next five seconds."""
    client.set(CONFIRMED, revision, px=LEASE_MS)


# -- the collector's side


async def read_meta(client: AsyncRedis) -> tuple[TableMeta | None, bool]:
    """The table's meta, and whether it is known to be current. Raises redis.RedisError."""
    meta, confirmed = await client.mget(META, CONFIRMED)
    if not meta:
        return None, False
    decoded = _meta.decode(meta)
    return decoded, confirmed is not None and int(confirmed) <= decoded.revision


async def read_entries(client: AsyncRedis) -> tuple[TableMeta | None, dict[str, KeyEntry]]:
    """The table and its meta, read as one."""
    async with client.pipeline(transaction=True) as pipeline:
        pipeline.get(META)
        pipeline.hgetall(KEYS)
        meta, entries = await pipeline.execute()
    if not meta:
        return None, {}
    return _meta.decode(meta), {k.decode(): _entry.decode(v) for k, v in entries.items()}


async def read_script(client: AsyncRedis, name: str) -> bytes | None:
    """A hosted script's body."""
    body: Any = await client.hget(SCRIPTS, name)
    return None if body is None else bytes(body)


async def count_refusals(client: AsyncRedis, counts: Mapping[str, int]) -> None:
    """Add to the counts of refused requests, by refusal."""
    async with client.pipeline(transaction=True) as pipeline:
        for name, count in counts.items():
            pipeline.hincrby(REFUSALS, name, count)
        await pipeline.execute()


def refusals(client: redis.Redis) -> dict[str, int]:
    """How many requests the collectors have refused, by refusal."""
    counts: Any = client.hgetall(REFUSALS)
    return {name.decode(): int(count) for name, count in counts.items()}
