"""Puts hits into the hit queue as a collector does, but without one."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle

from benchmarks.stack import Site
from tracker.rules.hits import Sender, partition_of
from tracker.stores.hit_queue import pack_append, pack_sender, pack_text

SENDER = Sender(
    agent="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
"""That of hits.py's requests."""
_AT_ONCE = 1000


def append(site: Site, hits: Iterable[bytes], keys: Sequence[str] = ()) -> int:
    """Queue hits with the collector's own packing, by these snippet keys in turn; how many."""
    commands = list(_packed(site, hits, keys or [site.key]))
    connection = site.redis.connection_pool.get_connection()
    for start in range(0, len(commands), _AT_ONCE):
        some = commands[start : start + _AT_ONCE]
        connection.send_packed_command([b"".join(some)])  # type: ignore[no-untyped-call]
        for _ in some:
            connection.read_response()
    site.redis.connection_pool.release(connection)
    return len(commands)


def _packed(site: Site, hits: Iterable[bytes], keys: Sequence[str]) -> Iterator[bytes]:
    sent, sender = pack_text(str(time.time_ns() // 1_000_000)), pack_sender(SENDER)
    for raw, key in zip(hits, cycle([pack_text(key) for key in keys]), strict=False):
        partition = partition_of(raw, site.settings.partitions)
        yield pack_append(partition, key, sent, sender, raw)
