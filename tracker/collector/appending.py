"""Where what the collector takes goes, as the settings say."""

import asyncio
from functools import partial

from redis.asyncio import Redis

from tracker.collector.cluster_commit import ClusterCommit
from tracker.collector.connections import Connections
from tracker.collector.group_commit import GroupCommit
from tracker.collector.pressure import AskDepth
from tracker.rules import queue_urls
from tracker.settings import Settings
from tracker.stores import hit_queue

Commit = GroupCommit | ClusterCommit
"""Whatever takes appends to the hit queue."""
PATIENCE = 3.0
"""Seconds that a server of the queue's own has to say how full it is."""


class Appending:
    """hits: to the hit queue; losses: what senders lost, beside the key table; depth: of the queue.

    `client` is one of the Redis of all else; `connections` are those that hits come by.
    """

    def __init__(
        self, settings: Settings, client: Redis, patience: float, connections: Connections
    ) -> None:
        self._own: Redis | None = None
        self.hits: Commit
        self.depth: AskDepth

        def senders() -> int:
            return connections.open

        self.losses = GroupCommit(settings.redis_url, patience, senders)
        if queue_urls.is_cluster(settings.queue_url):
            self.hits = ClusterCommit(settings.queue_url, patience, senders)
            self.depth = self.hits.depth
        elif settings.queue_url:
            self._own = hit_queue.connect_async(settings.queue_url, PATIENCE)
            self.hits = GroupCommit(settings.queue_url, patience, senders)
            self.depth = partial(hit_queue.depth, self._own)
        else:
            self.hits, self.depth = self.losses, partial(hit_queue.depth, client)

    async def start(self) -> None:
        """Connect to whatever is there, and keep connected until `stop`."""
        await asyncio.gather(*(commit.start() for commit in {self.hits, self.losses}))

    async def stop(self) -> None:
        """Close all connections; appends that are under way fail."""
        await asyncio.gather(*(commit.stop() for commit in {self.hits, self.losses}))
        if self._own:
            await self._own.aclose()
