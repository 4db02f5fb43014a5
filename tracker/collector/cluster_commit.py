"""Group commit over a cluster: each hit goes to the node that has its partition.

A node that is away refuses its partitions' hits only. Nothing is sent twice: where a partition
has moved, its hits are refused once, their senders keep them, and the map is read anew.
"""

import asyncio
from collections.abc import Iterable

import redis
import structlog

from tracker.collector.ending import end
from tracker.collector.group_commit import PATIENCE_SECONDS, GroupCommit, QueueAwayError
from tracker.collector.redis_connection import Done, Senders, many
from tracker.rules import queue_urls
from tracker.rules.backpressure import Depth, together
from tracker.stores import cluster_map, hit_queue

PAUSE, LONGEST_PAUSE = 0.2, 2.0
"""Seconds between two looks at the map of a cluster that changes, or that is away as a whole."""
LOOK_SECONDS = 0.5
"""A node that does not say for so long how full it is counts as full as it was before."""

log = structlog.get_logger("collector")


class _Node:
    """A node with partitions: where to append, and whom to ask how full it is."""

    def __init__(self, url: str, patience: float, senders: Senders) -> None:
        self.url = url
        self.commit = GroupCommit(url, patience, senders)
        self._client = hit_queue.connect_async(url, LOOK_SECONDS)
        self._depth: Depth | None = None

    async def look(self, numbers: Iterable[int], *, aged: bool) -> Depth | None:
        """How full it is, or was; None while it is away."""
        try:
            self._depth = await hit_queue.depth(self._client, numbers, aged=aged)
        except (redis.RedisError, OSError):
            return self._depth if self.commit.connected else None
        return self._depth

    async def stop(self) -> None:
        await self.commit.stop()
        await self._client.aclose()


class _Whole:
    """A request whose hits go to several nodes: `done` hears once all of them have answered."""

    def __init__(self, parts: int, done: Done) -> None:
        self._left, self._done = parts, done
        self._error: str | None = None

    def hear(self, error: str | None) -> None:
        self._left -= 1
        self._error = self._error or error
        if not self._left:
            self._done(self._error)


class ClusterCommit:
    """As GroupCommit, over the nodes that `url` leads to, as PINTAG_QUEUE_URL has it."""

    def __init__(
        self, url: str, patience: float = PATIENCE_SECONDS, senders: Senders = many
    ) -> None:
        self._url, self._patience, self._senders = url, patience, senders
        self._nodes: dict[str, _Node] = {}
        self._of: dict[int, _Node] = {}
        self._changes = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether any hits can be taken."""
        return any(node.commit.connected for node in self._nodes.values())

    async def start(self) -> None:
        """Connect to the nodes that are there, and follow the cluster's changes until `stop`."""
        self._loop = asyncio.get_running_loop()
        await self._read_map()
        self._keeper = asyncio.create_task(self._keep_map())

    async def stop(self) -> None:
        """Close all connections; appends that are under way fail."""
        if self._keeper:
            await end(self._keeper)
        await asyncio.gather(*(node.stop() for node in self._nodes.values()))

    def send(self, commands: list[bytes], done: Done) -> bool:
        """Send packed appends to their nodes; `done` hears, later, what came of them all.

        False where nothing was sent, and `done` hears nothing.
        """
        parts: dict[_Node, list[bytes]] = {}
        for command in commands:
            node = self._of.get(hit_queue.packed_for(command))
            if node is None or not node.commit.connected:
                self._changes.set()
                return False
            parts.setdefault(node, []).append(command)
        whole = _Whole(len(parts), lambda error: self._hear(error, done))
        sent = [node.commit.send(part, whole.hear) for node, part in parts.items()]
        if not any(sent):
            return False
        for _ in range(sent.count(False)):
            self._loop.call_soon(whole.hear, "too much waits for a node of the cluster")
        return True

    def _hear(self, error: str | None, done: Done) -> None:
        if error is not None:  # a partition may be elsewhere
            self._changes.set()
        done(error)

    def append(self, commands: list[bytes]) -> asyncio.Future[None]:
        """Send packed appends; the future ends when their nodes have answered every one of them.

        It ends in QueueAwayError if one of them was refused, or a node is away.
        """
        future: asyncio.Future[None] = self._loop.create_future()

        def done(error: str | None) -> None:
            if future.done():  # nobody waits any more
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(QueueAwayError(error))

        if not self.send(commands, done):
            done("a node of the cluster is away")
        return future

    async def depth(self, partitions: Iterable[int], *, aged: bool) -> Depth:
        """How full the queue is; of memory, its fullest node. Raises redis.ConnectionError."""
        numbers: dict[_Node, list[int]] = {}
        for number in partitions:
            if number in self._of:
                numbers.setdefault(self._of[number], []).append(number)
        looks = (node.look(part, aged=aged) for node, part in numbers.items())
        found = [depth for depth in await asyncio.gather(*looks) if depth is not None]
        if not found:
            raise redis.ConnectionError("every node of the cluster is away")
        return together(found)

    # -- the map

    async def _keep_map(self) -> None:
        pause = PAUSE
        while True:
            await self._changes.wait()
            self._changes.clear()
            try:
                pause = PAUSE if await self._read_map() else min(pause * 2, LONGEST_PAUSE)
            except Exception as error:  # without this task hits would be refused for ever
                log.error("map_failed", error=repr(error))
            await asyncio.sleep(pause)

    async def _read_map(self) -> bool:
        """Whether any node could be asked."""
        known = [url for url, node in self._nodes.items() if node.commit.connected]
        try:
            found = await cluster_map.read_async(self._url, known, self._patience)
        except cluster_map.ClusterAwayError as error:
            log.warning("cluster_away", error=str(error))
            self._changes.set()
            return False
        urls = set(found.values())
        new = {url: _Node(url, self._patience, self._senders) for url in urls - self._nodes.keys()}
        gone = [self._nodes.pop(url) for url in self._nodes.keys() - urls]
        self._nodes |= new
        if new:
            log.info("cluster", nodes=sorted(map(queue_urls.address, urls)))
            await asyncio.gather(*(node.commit.start() for node in new.values()))
        self._of = {number: self._nodes[url] for number, url in found.items()}
        await asyncio.gather(*(node.stop() for node in gone))
        return True
