"""The hit queue in one server: it is there or away, and loses its data, as a whole."""

from collections.abc import Iterable, Mapping
from typing import Self

import redis

from tracker.rules.hits import QueuedHit
from tracker.stores import hit_queue
from tracker.stores.hit_queue import QueueState, Waiting


class Queue:
    """The queue for those who read it.

    elsewhere: it is not in the Redis of all else; then `client` is its own, and closed with it.
    left_alone: why some of its partitions can't be worked on, though their node is there.

    Everything raises redis.RedisError while the server is away, or all nodes of a cluster are.
    Of a cluster, partitions whose node is away are left out.
    """

    apart = False
    """Whether partitions are lost one by one, so that each has an epoch of its own."""
    left_alone = ""

    def __init__(self, client: redis.Redis, *, elsewhere: bool = False) -> None:
        self._client, self.elsewhere = client, elsewhere

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are its own."""
        if self.elsewhere:
            self._client.close()

    def read(
        self, after: Mapping[int, str], count: int, block_ms: int
    ) -> dict[int, list[QueuedHit]]:
        """As hit_queue.read."""
        return hit_queue.read(self._client, after, count, block_ms)

    def epochs(self, numbers: Iterable[int]) -> dict[int, str]:
        """The epoch of each partition; empty where its server is new or lost its data."""
        return dict.fromkeys(numbers, hit_queue.get_epoch(self._client))

    def begin(self, epochs: Mapping[int, str]) -> set[int]:
        """Begin epochs; returns the partitions that have one already, and keep it."""
        (epoch,) = set(epochs.values())
        return set() if hit_queue.begin_epoch(self._client, epoch, epochs) else set(epochs)

    def trim(self, epochs: Mapping[int, str], committed: Mapping[int, str]) -> None:
        """As hit_queue.trim; each partition in its epoch."""
        for epoch in {epochs[number] for number in committed}:
            hit_queue.trim(self._client, epoch, committed)

    def state(self, number: int, last_id: str) -> QueueState:
        """As hit_queue.state; raises redis.RedisError where just this one can't be asked, too."""
        return hit_queue.state(self._client, number, last_id)

    def waiting(self, last_ids: Mapping[int, str]) -> list[Waiting]:
        """As hit_queue.waiting."""
        return hit_queue.waiting(self._client, last_ids)

    def clients(self) -> dict[str, redis.Redis]:
        """A client of each server that can be asked, by its address."""
        options = self._client.get_connection_kwargs()
        host, port = options.get("host", "localhost"), options.get("port", 6379)
        return {"local socket" if "path" in options else f"{host}:{port}": self._client}

    @property
    def away(self) -> dict[str, str]:
        """Nodes that are away, by their address, and why."""
        return {}
