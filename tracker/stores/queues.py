"""The hit queue, wherever the settings say that it is."""

import redis

from tracker.rules import queue_urls
from tracker.settings import Settings
from tracker.stores import hit_queue
from tracker.stores.queue_cluster import ClusterQueue
from tracker.stores.queue_server import Queue


def connect(settings: Settings, client: redis.Redis, patience: float | None = None) -> Queue:
    """The queue: in the server of `client`, which stays its caller's, or in one of its own.

    patience: as for hit_queue.connect. Raises nothing until it is used.
    """
    if not settings.queue_url:
        return Queue(client)
    if queue_urls.is_cluster(settings.queue_url):
        return ClusterQueue(settings.queue_url, patience)
    return Queue(hit_queue.connect(settings.queue_url, patience), elsewhere=True)
