"""The hit queue: Redis streams, one a partition. No other file knows the stream protocol.

An entry has the fields `k` (snippet key), `s` (the envelope's `sent`), `i` (the sender, as JSON)
and `h` (the hit's JSON), always these four: streams compress entries that have the same names in
the same order.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import AskError, ClusterDownError, TryAgainError
from redis.retry import Retry

from tracker.rules.backpressure import Depth
from tracker.rules.hits import MAX_TIME_MS, QueuedHit, Sender
from tracker.stores.demoted import leaving, leaving_async

EPOCH_KEY = "pintag:epoch"
NO_KEY = ""
"""The key of an entry that no collector appended; its `raw` is `{"entry": {<its fields>}}`."""
ELSEWHERE = (AskError, TryAgainError, ClusterDownError)
"""What a node of a cluster says of a partition that it does not have, or not whole, or not now."""

T = TypeVar("T")
Replies = dict[int, T | redis.RedisError]
"""What a node of a cluster answered for each partition: one that moved away stops no others."""

_NAMES = [b"k", b"s", b"i", b"h"]
_NOBODY = b"[]"
_encode_sender = msgspec.json.Encoder().encode
_decode_sender = msgspec.json.Decoder(Sender).decode


def stream(partition: int) -> str:
    """The name of a partition's stream; the braces keep it in one slot of a Redis Cluster."""
    return f"pintag:hits:{{{partition}}}"


def epoch_key(partition: int) -> str:
    """Where a partition of a cluster has an epoch of its own: in its slot, to be lost with it."""
    return f"{EPOCH_KEY}:{{{partition}}}"


def connect(url: str, patience: float | None = None) -> redis.Redis:
    """A client for everything but the collector's appends. Raises nothing until it is used.

    patience: seconds after which a Redis that is away is not waited for, or asked again.
    """
    if patience is None:
        return leaving(redis.Redis.from_url(url, legacy_responses=False, socket_timeout=10))
    client = redis.Redis.from_url(
        url,
        legacy_responses=False,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        retry=Retry(NoBackoff(), 0),
    )
    return leaving(client)


def connect_async(url: str, patience: float) -> AsyncRedis:
    """The same on an event loop, for what can be asked of again soon."""
    client = AsyncRedis.from_url(
        url,
        legacy_responses=False,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        retry=AsyncRetry(NoBackoff(), 0),
    )
    return leaving_async(client)


# -- the collector's side


def _bulk(data: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(data), data)


_HEADS = [
    b"*11\r\n$4\r\nXADD\r\n%b$1\r\n*\r\n$1\r\nk\r\n" % _bulk(stream(number).encode())
    for number in range(256)
]
_SENT, _SENDER = b"$1\r\ns\r\n", b"$1\r\ni\r\n"
_NUMBER = _HEADS[0].index(b"{") + 1


def pack_append(
    partition: int, key: bytes, sent: bytes, sender: bytes, raw: bytes | memoryview
) -> bytes:
    """The RESP command that appends one hit; all but `raw` are packed by the functions below."""
    length = b"$1\r\nh\r\n$%d\r\n" % len(raw)
    return b"".join((_HEADS[partition], key, _SENT, sent, _SENDER, sender, length, raw, b"\r\n"))


def pack_text(text: str) -> bytes:
    """A snippet key or a `sent`, packed for `pack_append`."""
    return _bulk(text.encode())


def pack_sender(sender: Sender) -> bytes:
    """A sender, packed for `pack_append`."""
    return _bulk(_encode_sender(sender))


def packed_for(command: bytes) -> int:
    """The partition that a packed append goes to."""
    return int(command[_NUMBER : command.index(b"}", _NUMBER)])


async def depth(client: AsyncRedis, partitions: Iterable[int], *, aged: bool) -> Depth:
    """How full the queue is; aged: with how long its oldest hit waits. Raises redis.RedisError.

    A Redis without a limit has the machine's memory. Partitions that are elsewhere count nothing.
    """
    streams = [stream(number) for number in partitions]
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.info("memory")
        pipeline.time()
        for name in streams:
            pipeline.xlen(name)
        for name in streams if aged else ():
            pipeline.xrange(name, count=1)
        info, time, *replies = await pipeline.execute(raise_on_error=False)
    for reply in (info, time, *replies):
        if isinstance(reply, redis.RedisError) and not isinstance(reply, ELSEWHERE):
            raise reply
    now, micros = time
    lengths, oldest = replies[: len(streams)], replies[len(streams) :]
    memory = int(info["used_memory"]) - int(info.get("mem_not_counted_for_evict", 0))
    limit = int(info.get("maxmemory", 0)) or int(info.get("total_system_memory", 0))
    since = [_milliseconds(reply[0][0]) for reply in oldest if reply and isinstance(reply, list)]
    now_ms = now * 1000 + micros // 1000
    seconds = max(0, now_ms - min(since, default=now_ms)) / 1000
    return Depth(sum(n for n in lengths if isinstance(n, int)), memory, limit, seconds)


def _milliseconds(stream_id: bytes) -> int:
    return int(stream_id.partition(b"-")[0])


# -- the worker's side


def read(
    client: redis.Redis, after: Mapping[int, str], count: int, block_ms: int
) -> dict[int, list[QueuedHit]]:
    """Up to `count` hits of each partition after its stream id; waits `block_ms` for the first.

    Partitions with nothing new are left out; entries that are no hits come with NO_KEY. Raises
    redis.RedisError.
    """
    names = {stream(number).encode(): number for number in after}
    reply: Any = client.execute_command(  # type: ignore[no-untyped-call]
        *_xread(count, block_ms), *names, *after.values()
    )
    return {
        names[name]: [_hit(names[name], stream_id, entry) for stream_id, entry in entries]
        for name, entries in (reply or {}).items()
    }


def _xread(count: int, block_ms: int | None = None) -> list[object]:
    """The command, by a name for which redis-py has no callback.

    That would make a dict of each entry, which costs a worker more than reading it does.
    """
    block = [] if block_ms is None else ["BLOCK", block_ms]
    return [b"XREAD", "COUNT", count, *block, "STREAMS"]


def _replies(
    numbers: Iterable[int], replies: Iterable[Any], shaped: Callable[[int, Any], T]
) -> Replies[T]:
    return {
        number: reply if isinstance(reply, redis.RedisError) else shaped(number, reply)
        for number, reply in zip(numbers, replies, strict=True)
    }


def _number(_: int, reply: Any) -> int:
    return int(reply)


def read_each(
    client: redis.Redis, after: Mapping[int, str], count: int
) -> Replies[list[QueuedHit]]:
    """The same from a node of a cluster, which can't wait for several partitions; so at once."""
    with client.pipeline(transaction=False) as pipeline:
        for number, last in after.items():
            pipeline.execute_command(*_xread(count), stream(number), last)  # type: ignore[no-untyped-call]
        replies = pipeline.execute(raise_on_error=False)
    return _replies(after, replies, _hits)


def _hits(partition: int, reply: Any) -> list[QueuedHit]:
    found = (reply or {}).values()
    return [_hit(partition, id_, entry) for entries in found for id_, entry in entries]


def _hit(partition: int, stream_id: bytes, entry: list[bytes]) -> QueuedHit:
    id_ = stream_id.decode()
    try:
        key, sent, sender, raw = entry[1::2] if entry[::2] == _NAMES else _by_name(entry)
        hit = QueuedHit(partition, id_, key.decode(), int(sent), raw, None, _decode_sender(sender))
        if 0 <= hit.sent <= MAX_TIME_MS:
            return hit
    except (KeyError, ValueError, msgspec.MsgspecError, RecursionError):
        pass
    return QueuedHit(partition, id_, NO_KEY, 0, _foreign(entry))


def _by_name(entry: list[bytes]) -> list[bytes]:
    """The values of an entry of another shape, nobody as its sender where none is noted."""
    values = {b"i": _NOBODY, **dict(zip(entry[::2], entry[1::2], strict=True))}
    return [values[name] for name in _NAMES]


def _foreign(entry: list[bytes]) -> bytes:
    """What somebody appended by hand: it must neither get lost nor stop the worker."""
    texts = [*map(_readable, entry)]
    fields = dict(zip(texts[::2], texts[1::2], strict=True))
    return msgspec.json.encode({"entry": fields})


def _readable(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


# Stream ids of one epoch must remove nothing of another: the check and the cut are one.
_TRIM = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #KEYS do redis.call('XTRIM', KEYS[i], 'MINID', ARGV[i]) end
return 1
"""


def trim(client: redis.Redis, epoch: str, committed: Mapping[int, str]) -> None:
    """Remove every entry up to and including the committed stream id of each partition.

    Does nothing in a Redis that is in another epoch than the stream ids.
    """
    streams = [stream(number) for number in committed]
    keep_from = [_after(last) for last in committed.values()]
    client.eval(_TRIM, 1 + len(streams), EPOCH_KEY, *streams, epoch, *keep_from)


def trim_each(
    client: redis.Redis, epochs: Mapping[int, str], committed: Mapping[int, str]
) -> Replies[int]:
    """The same on a node of a cluster, where each partition has an epoch of its own."""
    with client.pipeline(transaction=False) as pipeline:
        for number, last in committed.items():
            keys = epoch_key(number), stream(number)
            pipeline.eval(_TRIM, 2, *keys, epochs[number], _after(last))
        return _replies(committed, pipeline.execute(raise_on_error=False), _number)


def _after(stream_id: str) -> str:
    milliseconds, _, sequence = stream_id.partition("-")
    return f"{milliseconds}-{int(sequence) + 1}"


def _is_missing(info: Any) -> bool:
    """Whether XINFO says that there is no such stream."""
    return isinstance(info, redis.ResponseError) and "no such key" in str(info)


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
    if _is_missing(info):  # nothing was ever added
        return QueueState(0, 0)
    if isinstance(info, redis.RedisError):
        raise info
    return QueueState(int(info["entries-added"]), length - len(leftover))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A partition's stream as people watch it: `queued` may be one batch, just committed, too high.

    seconds: how long the oldest one waits, by Redis's clock; None where nothing does.
    """

    partition: int
    added: int
    queued: int
    seconds: float | None


def waiting(client: redis.Redis, last_ids: Mapping[int, str]) -> list[Waiting]:
    """What waits in each partition, after its last stream id, at about one moment."""
    found = waiting_each(client, last_ids).values()
    for one in found:
        if isinstance(one, redis.RedisError):
            raise one
    return [one for one in found if isinstance(one, Waiting)]


def waiting_each(client: redis.Redis, last_ids: Mapping[int, str]) -> Replies[Waiting]:
    """The same from a node of a cluster."""
    with client.pipeline(transaction=False) as pipeline:
        pipeline.time()
        for number, last_id in last_ids.items():
            pipeline.xinfo_stream(stream(number))
            pipeline.xrange(stream(number), min=f"({last_id}", count=1)
        time, *replies = pipeline.execute(raise_on_error=False)
    if isinstance(time, redis.RedisError):
        raise time
    now, micros = time
    return {
        number: _waiting(number, info, oldest, now * 1000 + micros // 1000)
        for number, info, oldest in zip(last_ids, replies[::2], replies[1::2], strict=True)
    }


def _waiting(number: int, info: Any, oldest: Any, now_ms: int) -> Waiting | redis.RedisError:
    if _is_missing(info):  # nothing was ever added
        return Waiting(number, 0, 0, None)
    if error := next((one for one in (info, oldest) if isinstance(one, redis.RedisError)), None):
        return error
    added = int(info["entries-added"])
    if not oldest:
        return Waiting(number, added, 0, None)
    since = _milliseconds(oldest[0][0])
    return Waiting(number, added, int(info["length"]), max(0, now_ms - since) / 1000)


def get_epoch(client: redis.Redis) -> str:
    """The queue's epoch as Redis has it; empty when Redis is new or lost its data."""
    value: Any = client.get(EPOCH_KEY)
    return value.decode() if value else ""


# Hits that an earlier epoch took away must not be looked for in this one.
_BEGIN = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for i = 2, #KEYS do
    if redis.call('EXISTS', KEYS[i]) == 1 then
        local info = redis.call('XINFO', 'STREAM', KEYS[i])
        local last
        for j = 1, #info, 2 do if info[j] == 'last-generated-id' then last = info[j + 1] end end
        redis.call('XSETID', KEYS[i], last, 'ENTRIESADDED', redis.call('XLEN', KEYS[i]))
    end
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
"""


def begin_epoch(client: redis.Redis, epoch: str, partitions: Iterable[int]) -> bool:
    """Begin an epoch in a Redis that has none; False when there is one already.

    What is queued counts as added in the new epoch, and nothing else does.
    """
    streams = [stream(number) for number in partitions]
    return bool(client.eval(_BEGIN, 1 + len(streams), EPOCH_KEY, *streams, epoch))


def get_epochs(client: redis.Redis, partitions: Iterable[int]) -> Replies[str]:
    """The epochs of partitions on a node of a cluster; empty where it is new or lost its data."""
    numbers = list(partitions)
    with client.pipeline(transaction=False) as pipeline:
        for number in numbers:
            pipeline.get(epoch_key(number))
        replies = pipeline.execute(raise_on_error=False)
    return _replies(numbers, replies, lambda _, value: value.decode() if value else "")


def begin_epochs(client: redis.Redis, epochs: Mapping[int, str]) -> Replies[int]:
    """Begin epochs of partitions on a node of a cluster; 0 for those that have one already."""
    with client.pipeline(transaction=False) as pipeline:
        for number, epoch in epochs.items():
            pipeline.eval(_BEGIN, 2, epoch_key(number), stream(number), epoch)
        return _replies(epochs, pipeline.execute(raise_on_error=False), _number)
