"""The hit queue over a cluster: only what is on a node that is away has to wait."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import redis
import structlog

from tracker.rules import queue_urls
from tracker.rules.hits import QueuedHit
from tracker.stores import cluster_map, hit_queue
from tracker.stores.cluster_map import ClusterAwayError
from tracker.stores.hit_queue import QueueState, Replies, Waiting
from tracker.stores.queue_server import Queue

PATIENCE = 2.0
"""Seconds that a node may be silent; then nobody waits for it until it answers again."""
PAUSE = 0.2
"""Seconds between two looks for a node that is away, or at the map of a cluster that changes."""
FIRST_NAP, LONGEST_NAP = 0.004, 0.064
"""Seconds between two looks for hits; where there are none, they become longer."""

T = TypeVar("T")
log = structlog.get_logger("queue")


class Node:
    """One node; `away` says why it can't be asked. Then a thread of its own looks for it."""

    def __init__(self, url: str, patience: float) -> None:
        self.address = queue_urls.address(url)
        self.client = hit_queue.connect(url, patience)
        self.away = ""
        self._closed = threading.Event()

    def lose(self, error: Exception) -> None:
        """Ask it nothing until it answers again."""
        self.away = str(error) or type(error).__name__
        log.warning("queue_node_away", node=self.address, error=self.away)
        threading.Thread(target=self._look_for, daemon=True, name="queue node").start()

    def _look_for(self) -> None:
        while not self._closed.wait(PAUSE):
            try:
                self.client.ping()
            except (redis.RedisError, OSError):
                continue
            log.info("queue_node_back", node=self.address)
            self.away = ""
            return

    def close(self) -> None:
        self._closed.set()
        self.client.close()


class ClusterQueue(Queue):
    """The queue over the nodes that `url` leads to, as PINTAG_QUEUE_URL has it."""

    apart = elsewhere = True

    def __init__(self, url: str, patience: float | None = None) -> None:
        self._url, self._patience = url, patience or PATIENCE
        self._map: cluster_map.Map = {}
        self._nodes: dict[str, Node] = {}
        self._changes, self._next_look = True, 0.0
        self._noted: dict[int, str] = {}

    def close(self) -> None:
        for node in self._nodes.values():
            node.close()

    def read(
        self, after: Mapping[int, str], count: int, block_ms: int
    ) -> dict[int, list[QueuedHit]]:
        deadline, nap = time.monotonic() + block_ms / 1000, FIRST_NAP
        while True:
            found = self._ask(after, lambda client, part: hit_queue.read_each(client, part, count))
            hits = {number: read for number, read in found.items() if read}
            left = deadline - time.monotonic()
            if hits or left <= 0:
                return hits
            time.sleep(min(nap, left))
            nap = min(nap * 2, LONGEST_NAP)

    def epochs(self, numbers: Iterable[int]) -> dict[int, str]:
        return self._ask(dict.fromkeys(numbers, ""), hit_queue.get_epochs)

    def begin(self, epochs: Mapping[int, str]) -> set[int]:
        begun = self._ask(epochs, hit_queue.begin_epochs)
        return {number for number, done in begun.items() if not done}

    def trim(self, epochs: Mapping[int, str], committed: Mapping[int, str]) -> None:
        self._ask(committed, lambda client, part: hit_queue.trim_each(client, epochs, part))

    def state(self, number: int, last_id: str) -> QueueState:
        found = self._ask(
            {number: last_id}, lambda client, _: {number: hit_queue.state(client, number, last_id)}
        )
        if number not in found:
            node = self._nodes.get(self._map.get(number, ""))
            why = (node.away or "its slot is on the move") if node else "no node has its slot"
            raise ClusterAwayError(f"its node is away: {why}")
        return found[number]

    def waiting(self, last_ids: Mapping[int, str]) -> list[Waiting]:
        return list(self._ask(last_ids, hit_queue.waiting_each).values())

    def clients(self) -> dict[str, redis.Redis]:
        self._look()
        return {node.address: node.client for node in self._nodes.values() if not node.away}

    @property
    def away(self) -> dict[str, str]:
        return {node.address: node.away for node in self._nodes.values() if node.away}

    # -- the nodes

    def _ask(
        self,
        parts: Mapping[int, str],
        question: Callable[[redis.Redis, Mapping[int, str]], Replies[T]],
    ) -> dict[int, T]:
        """Ask each node about its part; what got no answer is left out."""
        self._look()
        answers: dict[int, T] = {}
        for node, part in self._spread(parts):
            try:
                replies = question(node.client, part)
            except (redis.RedisError, OSError) as error:
                self._changes = True
                if not isinstance(error, hit_queue.ELSEWHERE):
                    node.lose(error)
                continue
            for number, reply in replies.items():
                if isinstance(reply, redis.RedisError):
                    self._changes = True
                    self._note(number, reply)
                else:
                    answers[number] = reply
        if self.away and len(self.away) == len(self._nodes):
            why = "; ".join(f"{address}: {why}" for address, why in self.away.items())
            raise ClusterAwayError(f"every node of the cluster is away: {why}")
        return answers

    def _note(self, number: int, error: redis.RedisError) -> None:
        """Log what is wrong with a partition, once; that it is elsewhere is nothing wrong."""
        if not isinstance(error, hit_queue.ELSEWHERE) and self._noted.get(number) != str(error):
            self._noted[number] = str(error)
            log.warning("queue_refuses", partition=number, error=str(error))

    def _spread(self, parts: Mapping[int, str]) -> list[tuple[Node, dict[int, str]]]:
        by_node: dict[str, dict[int, str]] = {}
        for number, value in parts.items():
            if number in self._map:
                by_node.setdefault(self._map[number], {})[number] = value
            else:
                self._changes = True
        found = [(self._nodes[url], part) for url, part in by_node.items()]
        return [(node, part) for node, part in found if not node.away]

    def _look(self) -> None:
        """Read the map, where it may have changed. Raises ClusterAwayError where there is none."""
        if not self._changes or time.monotonic() < self._next_look:
            if not self._nodes:
                raise ClusterAwayError("no node of the cluster answered a moment ago")
            return
        self._next_look = time.monotonic() + PAUSE
        there = [url for url, node in self._nodes.items() if not node.away]
        try:
            self._map = cluster_map.read(self._url, there, self._patience)
        except ClusterAwayError:
            if not self._nodes:
                raise
            return
        self._changes = bool(self.away)  # it may come back elsewhere
        urls = set(self._map.values())
        for url in self._nodes.keys() - urls:
            self._nodes.pop(url).close()
        for url in urls - self._nodes.keys():
            self._nodes[url] = Node(url, self._patience)
