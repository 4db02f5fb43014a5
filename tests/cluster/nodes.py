"""A real cluster for tests: nodes of the embedded server, which they kill, empty and move."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from redis import Redis

from tests.collector.house import free_port
from tests.embedded.waiting import until
from tracker.embedded import binaries
from tracker.embedded.processes import die_with_parent
from tracker.embedded.valkey import SETTINGS
from tracker.stores import cluster_map

SLOTS = 16384
CLUSTER = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": "1000",
    "cluster-require-full-coverage": "no",
    "save": "",
    "bind": "127.0.0.1",
    "maxmemory": "100mb",
}


@dataclass
class Node:
    """One server of a cluster, with its data in a folder of its own."""

    folder: Path
    port: int
    bus: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, with what its folder has; returns when it answers."""
        self.folder.mkdir(exist_ok=True)
        settings = {
            **SETTINGS,
            **CLUSTER,
            "dir": str(self.folder),
            "port": str(self.port),
            "cluster-port": str(self.bus),
        }
        arguments = (text for name, value in settings.items() for text in (f"--{name}", value))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(binaries.valkey_server()), *arguments],
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        until(self._answers, f"node {self.port} answers")

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def client(self) -> Redis:
        return Redis(port=self.port, legacy_responses=False)

    @property
    def id(self) -> str:
        with self.client() as client:
            return str(client.execute_command("CLUSTER MYID").decode())

    def kill(self) -> None:
        """kill -9, and wait for its end."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def empty(self) -> None:
        """What a new disk does to a node that is down: all data is gone, but not its name."""
        shutil.rmtree(self.folder / "appendonlydir")

    def moves(self) -> None:
        """Give a node that is down another address."""
        self.port, self.bus = free_port(), free_port()


@dataclass
class Nodes:
    """The cluster: `nodes` have slots."""

    nodes: list[Node]

    @property
    def url(self) -> str:
        """As PINTAG_QUEUE_URL names it: two nodes are enough."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port},127.0.0.1:{self.nodes[1].port}"

    def of(self, number: int) -> list[int]:
        """The partitions of a node, of the eight that tests have."""
        first, last = _range(number, len(self.nodes))
        return [n for n in range(8) if first <= cluster_map.SLOTS[n] <= last]

    def holder(self, partition: int) -> Node:
        """The node that a partition is on, as long as no slots move."""
        return self.nodes[cluster_map.SLOTS[partition] * len(self.nodes) // SLOTS]

    def mend(self) -> None:
        """All nodes are up, and empty."""
        for node in self.nodes:
            if node.process is None or node.process.poll() is not None:
                node.start()
            with node.client() as client:
                client.flushall()
        self.until_ok()

    def give_up(self, number: int, to: int) -> None:
        """End a node for good: another one gets its slots, without what was in them."""
        lost, heir = self.nodes[number].id, self.nodes[to]
        self.nodes[number].kill()
        for node in self.nodes:
            if node is not self.nodes[number]:
                with node.client() as client:
                    client.execute_command("CLUSTER FORGET", lost)
        with heir.client() as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", *_range(number, len(self.nodes)))
            client.execute_command("CLUSTER BUMPEPOCH")

    def begin_move(self, partition: int, source: int, target: int) -> None:
        """Take the first steps in moving a partition's slot: what is not there yet is asked for."""
        slot, ids = cluster_map.SLOTS[partition], [node.id for node in self.nodes]
        with self.nodes[source].client() as old, self.nodes[target].client() as new:
            new.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[source])
            old.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[target])

    def end_move(self, partition: int, source: int, target: int) -> None:
        """Move what is in the slot, one key after the other, and then the slot."""
        slot, there = cluster_map.SLOTS[partition], self.nodes[target]
        with self.nodes[source].client() as old:
            while keys := old.execute_command("CLUSTER GETKEYSINSLOT", slot, 1):
                old.execute_command("MIGRATE", "127.0.0.1", there.port, keys[0], 0, 5000)
        for node in (there, *self.nodes):
            with node.client() as client:
                client.execute_command("CLUSTER SETSLOT", slot, "NODE", there.id)

    @contextmanager
    def configured(self, name: str, value: str, back: str) -> Iterator[None]:
        """All nodes with another setting, while the block runs."""
        clients = [node.client() for node in self.nodes]
        try:
            for client in clients:
                client.config_set(name, value)
            yield
        finally:
            for client in clients:
                client.config_set(name, back)
                client.close()

    def restart(self, *numbers: int) -> None:
        """Start nodes that are down, and wait until they take part again."""
        for number in numbers:
            self.nodes[number].start()
        self.until_ok()

    def until_ok(self) -> None:
        """Until every node knows of every other one, and that it is up."""
        for node in self.nodes:
            with node.client() as client:
                until(lambda c=client: _is_ok(c, len(self.nodes)), "the cluster is up")  # type: ignore[misc]


def _is_ok(client: Redis, nodes: int) -> bool:
    info = client.cluster("INFO")
    return info["cluster_state"] == "ok" and len(client.cluster("SLOTS")) == nodes


def _range(number: int, of: int) -> tuple[int, int]:
    return number * SLOTS // of, (number + 1) * SLOTS // of - 1


@contextmanager
def running(folder: Path) -> Iterator[Nodes]:
    """A cluster of three nodes without replicas; none outlives the block."""
    cluster = Nodes([Node(folder / f"node-{n}", free_port(), free_port()) for n in range(3)])
    try:
        for number, node in enumerate(cluster.nodes):
            node.start()
            with node.client() as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", *_range(number, 3))
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
                first = cluster.nodes[0]
                client.execute_command("CLUSTER MEET", "127.0.0.1", first.port, first.bus)
        cluster.until_ok()
        yield cluster
    finally:
        for node in cluster.nodes:
            node.kill()
