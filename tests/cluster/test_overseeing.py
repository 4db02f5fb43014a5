"""What doctor, status, metrics and health say of a queue over a cluster."""

import json
from contextlib import nullcontext

import pytest

from tests.api.test_watching import present, scraped, serving
from tests.cli.test_commands import Run, pintag
from tests.cluster.conftest import Port
from tests.cluster.test_collector import MIDDLE, down
from tests.cluster.test_worker import send, until_stored
from tests.worker.cast import hit, working
from tests.worker.test_waiting import NOWHERE
from tracker.actions import overseeing
from tracker.cli import doctor
from tracker.stores import hit_queue, queues

__all__ = ["pintag"]


@pytest.fixture
def busy(port: Port, monkeypatch: pytest.MonkeyPatch) -> Port:
    """A harbour with 40 hits stored and 40 waiting, whose commands know of the cluster."""
    monkeypatch.setenv("PINTAG_QUEUE_URL", port.settings.queue_url)
    with working(port.settings):
        send(port)
        until_stored(port, 40)
        port.until_empty()
    send(port)
    for kind in ("worker", "collector", "jobs"):
        present(port.redis, kind)
    return port


def problems(port: Port) -> list[tuple[str, str]]:
    found = doctor.examine(port.settings)
    assert all(finding.remedy for finding in found if finding.level != "ok")
    return [
        (one.subject, one.text) for one in found if one.level != "ok" and "Queue" in one.subject
    ]


def test_the_doctor_looks_at_every_node(busy: Port) -> None:
    assert problems(busy) == []
    subjects = [finding.subject for finding in doctor.examine(busy.settings)]
    for node in busy.nodes.nodes:
        for what in ("appendfsync", "maxmemory", "clock", "cluster-require-full-coverage"):
            assert f"Queue 127.0.0.1:{node.port} {what}" in subjects
    with busy.nodes.nodes[MIDDLE].client() as client:
        client.config_set("cluster-require-full-coverage", "yes")
        try:
            ((subject, value),) = problems(busy)
        finally:
            client.config_set("cluster-require-full-coverage", "no")
    assert (subject.rpartition(" ")[2], value) == ("cluster-require-full-coverage", "yes")


@pytest.mark.slow
def test_the_doctor_knows_whose_data_is_lost(busy: Port) -> None:
    number = busy.nodes.of(MIDDLE)[0]
    with busy.nodes.holder(number).client() as client:
        client.delete(hit_queue.epoch_key(number))
        assert problems(busy) == [("Queue epochs", f"none in the partitions {number}")]
        client.set(hit_queue.epoch_key(number), "another")
    assert problems(busy) == [("Queue epochs", f"partitions {number} are another installation's")]


def test_the_doctor_finds_hits_that_went_where_the_queue_was(busy: Port) -> None:
    busy.send(hit(), hit(), to=3)
    text = "2 hits are in the Redis of REDIS_URL, where no worker looks for them"
    assert problems(busy) == [("Queue left behind", text)]


@pytest.mark.slow
def test_a_node_that_is_away_is_told(busy: Port, pintag: Run) -> None:
    stopped = busy.nodes.of(MIDDLE)
    address = f"127.0.0.1:{busy.nodes.nodes[MIDDLE].port}"
    told = json.loads(pintag("status", "--json"))
    assert (told["accepted"], told["queued"], told["verdict"]["level"]) == (80, 40, "ok")
    with down(busy.nodes):
        (away, epochs) = problems(busy)
        out = pintag("status", code=1)
        with serving(busy.settings) as client:
            found = scraped(client)
            ready, sink = client.get("/health/ready"), client.get("/health/sink")
    assert away[0] == f"Queue {address}"
    assert epochs[1] == f"the partitions {', '.join(map(str, stopped))} can't be asked"
    assert f"Hits of {len(stopped)} partitions are refused: a node of the hit queue" in out
    assert f"The node {address} can't be reached" in out
    assert (ready.status_code, sink.status_code) == (200, 503)
    assert (found["pintag_queue_up", address], found["pintag_up", "redis"]) == (0, 1)
    assert sum(value for name, value in found.items() if name[0] == "pintag_queue_up") == 2
    assert ("pintag_queue_hits", str(stopped[0])) not in found
    assert ("pintag_hits_accepted_total",) not in found


@pytest.mark.slow
def test_the_audit_tells_what_it_can_not_check(busy: Port, pintag: Run) -> None:
    assert "The ledger balances." in pintag("audit")
    with down(busy.nodes):
        out = pintag("audit", code=1)
    assert f"partition {busy.nodes.of(MIDDLE)[0]}: can't be checked: its node is away" in out


@pytest.mark.slow
def test_the_whole_cluster_is_away(busy: Port, pintag: Run) -> None:
    with down(busy.nodes, 0, 1, 2):
        assert "Hits are refused: the hit queue is away." in pintag("status", code=1)
        assert [subject for subject, _ in problems(busy)] == ["Queue"]
        with serving(busy.settings) as client:
            assert client.get("/health/ready").status_code == 200
            assert client.get("/health").text == "away: The hit queue"


def test_the_redis_of_all_else_is_away(busy: Port) -> None:
    with (
        hit_queue.connect(NOWHERE, 1) as client,
        queues.connect(busy.settings, client) as queue,
    ):
        found = overseeing.look(lambda: nullcontext(busy.db), client, queue)
    assert "Hits are taken only where collectors know their keys" in found.verdict.sentence
    assert (found.queued, list(found.all_away)) == (40, ["Redis"])
