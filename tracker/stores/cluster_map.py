"""Which node of a cluster has which partition of the hit queue, as the nodes themselves say."""

import random
from collections.abc import Iterable
from typing import Any

import redis
from redis.crc import key_slot

from tracker.rules import queue_urls
from tracker.stores import hit_queue

MOST = 256
"""More partitions than these there never are."""
SLOTS = [key_slot(hit_queue.stream(number).encode()) for number in range(MOST)]

Map = dict[int, str]
"""The URL of each partition's node; those whose slot is nobody's are left out."""


class ClusterAwayError(redis.ConnectionError):
    """No node of the cluster can be asked; the message says why."""


def read(url: str, known: Iterable[str], patience: float) -> Map:
    """Ask the nodes of the URL, and those that are known besides. Raises ClusterAwayError."""
    why = "no node is named"
    for server in _servers(url, known):
        with hit_queue.connect(server, patience) as client:
            try:
                return _map(url, server, client.execute_command("CLUSTER SLOTS"))
            except (redis.RedisError, OSError) as error:
                why = str(error)
    raise ClusterAwayError(f"no node of the cluster answers: {why}")


async def read_async(url: str, known: Iterable[str], patience: float) -> Map:
    """The same for the collector."""
    why = "no node is named"
    for server in _servers(url, known):
        async with hit_queue.connect_async(server, patience) as client:
            try:
                reply = await client.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
                return _map(url, server, reply)
            except (redis.RedisError, OSError) as error:
                why = str(error)
    raise ClusterAwayError(f"no node of the cluster answers: {why}")


def _servers(url: str, known: Iterable[str]) -> list[str]:
    """Those that had partitions a moment ago before those that somebody wrote down once.

    Not in the same order each time: one that has just come back may be behind the others.
    """
    now = sorted(set(known))
    return list(dict.fromkeys([*random.sample(now, len(now)), *queue_urls.servers(url)]))


def _map(url: str, asked: str, reply: Any) -> Map:
    found: Map = {}
    for first, last, primary, *_ in reply:
        node = _node(url, asked, primary)
        found |= {number: node for number in range(MOST) if first <= SLOTS[number] <= last}
    if not found:  # It was taken out of the cluster, or lost its disk: others know more.
        raise redis.RedisError(f"{queue_urls.address(asked)} knows of no slots")
    return found


def _node(url: str, asked: str, primary: Any) -> str:
    """A node that does not know its own address is the one that was asked."""
    host = primary[0].decode() if primary[0] else ""
    if host in ("", "?"):
        host = queue_urls.host(asked)
    return queue_urls.node(url, host, int(primary[1]))
