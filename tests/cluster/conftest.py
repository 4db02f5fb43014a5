"""A cluster for the hit queue, with a harbour whose worker reads from it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from redis import Redis

from tests.cluster import nodes as clusters
from tests.cluster.nodes import Nodes
from tests.worker.cast import Harbour, now_ms, track
from tracker.settings import Settings
from tracker.stores import hit_queue


@contextmanager
def a_cluster() -> Iterator[Nodes]:
    """A cluster in a folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pintag-cluster-", dir="/tmp"))
    try:
        with clusters.running(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def own_cluster() -> Iterator[Nodes]:
    with a_cluster() as running:
        yield running


@pytest.fixture
def nodes(own_cluster: Nodes) -> Nodes:
    """Three nodes, empty and up."""
    own_cluster.mend()
    return own_cluster


@dataclass(frozen=True)
class Port(Harbour):
    """A harbour whose hit queue is in the cluster."""

    nodes: Nodes

    def put(self, *hits: dict[str, Any], to: int) -> None:
        """Put hits into a partition's stream, as the collector does."""
        with self.nodes.holder(to).client() as client:
            for one in hits:
                raw = msgspec.json.encode(one)
                entry: Any = {"k": self.key, "s": str(now_ms()), "h": raw}
                client.xadd(hit_queue.stream(to), entry)


@pytest.fixture
def port(settings: Settings, db: psycopg.Connection, redis: Redis, nodes: Nodes) -> Port:
    booking, key = track(db, redis, "harbour")
    return Port(replace(settings, queue_url=nodes.url), db, redis, booking, key, nodes)
