"""`pintag up` with its queue over a cluster: processes and nodes are killed under load."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.nodes import Nodes
from tests.embedded.waiting import until
from tests.whole.installation import Installation, free_ports, up
from tests.whole.load import Load, under_load
from tests.whole.test_killed import grows, ids_stored

pytestmark = pytest.mark.slow

MIDDLE = 1


@pytest.fixture
def pintag(data_dir: Path, nodes: Nodes) -> Iterator[Installation]:
    with up(data_dir, free_ports(), environment={"PINTAG_QUEUE_URL": nodes.url}) as process:
        yield Installation(data_dir, process)


def until_balanced(pintag: Installation) -> dict[str, int]:
    """The states of all hits, once nothing is queued; fails where the audit finds anything."""

    def audit() -> dict[str, object]:
        return dict(json.loads(pintag.pintag("audit", "--json")))

    until(lambda: audit()["queued"] == 0, "the queue is empty", 60)
    found = audit()
    assert (found["balanced"], found["losses"], found["problems"]) == (True, [], [])
    return dict(found["states"])  # type: ignore[call-overload, no-any-return]


def assert_nothing_lost(pintag: Installation, load: Load) -> None:
    load.stop()
    states, stored = until_balanced(pintag), ids_stored(pintag)
    assert not set(load.acknowledged) - set(stored), "acknowledged hits are missing"
    assert set(stored.values()) == {1}
    assert states["stored"] == len(stored)


def test_processes_and_nodes_are_killed_by_turns(pintag: Installation, nodes: Nodes) -> None:
    with under_load(pintag) as load:
        grows(load)
        for part in ("worker", "collector"):
            pintag.kill(part)
            nodes.nodes[MIDDLE].kill()
            nodes.restart(MIDDLE)
            grows(load)
        pintag.kill("valkey")
        grows(load)
        pintag.kill("postgres")
        grows(load)
        assert_nothing_lost(pintag, load)


def test_the_commands_know_the_cluster(pintag: Installation, nodes: Nodes) -> None:
    assert "redis+cluster://" in (pintag.data / "screen.txt").read_text()
    for node in nodes.nodes:
        assert f"Queue 127.0.0.1:{node.port} appendfsync" in pintag.pintag("doctor")
    with under_load(pintag) as load:
        grows(load)
    assert_nothing_lost(pintag, load)
    assert "memory of Valkey" in pintag.pintag("status")


def test_everything_ends_at_once_and_comes_back(pintag: Installation, nodes: Nodes) -> None:
    with under_load(pintag) as load:
        grows(load)
        for node in nodes.nodes:
            node.kill()
        for part in ("worker", "collector", "valkey"):
            os.kill(pintag.state["processes"][part], signal.SIGKILL)
        nodes.restart(0, 1, 2)
        grows(load)
        assert_nothing_lost(pintag, load)
