"""The collector over a cluster: each hit to its node, and 503 only where that one is away."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx2
import pytest

from tests.cluster.conftest import Port
from tests.cluster.load import VISITORS
from tests.cluster.nodes import Node, Nodes
from tests.collector import house as houses
from tests.collector.house import Collector, free_port
from tests.embedded.waiting import until
from tests.worker.cast import hit, working
from tracker.collector.app import make_app
from tracker.rules.hits import NOBODY
from tracker.snippets import publishing
from tracker.stores import hit_queue, losses

MIDDLE = 1


@pytest.fixture
def collector(port: Port) -> Iterator[Collector]:
    publishing.keep_current(port.db, port.redis)
    with houses.running(make_app(port.settings, patience=1)) as running:
        yield running


def post(collector: Collector, port: Port, *partitions: int, lost: int = 0) -> httpx2.Response:
    """A request with a hit to each of these partitions."""
    hits = [hit(VISITORS[number]) for number in partitions]
    return collector.post(port.key, json.dumps({"hits": hits, "lost": lost}).encode())


def queued(nodes: Nodes) -> Counter[int]:
    """How many hits are in each partition's stream, on the node that it belongs to."""
    found: Counter[int] = Counter()
    for number in range(8):
        with nodes.holder(number).client() as client:
            found[number] = client.xlen(hit_queue.stream(number))
    return +found


@pytest.mark.parametrize("partition", [0, 7, 10, 99, 100, 255])
def test_a_packed_hit_says_where_it_goes(partition: int) -> None:
    parts = hit_queue.pack_text("k}1"), hit_queue.pack_text("7"), hit_queue.pack_sender(NOBODY)
    packed = hit_queue.pack_append(partition, *parts, b'{"visitor":"{5}"}')
    assert hit_queue.packed_for(packed) == partition


def test_hits_go_to_the_nodes_of_their_partitions(collector: Collector, port: Port) -> None:
    for number in range(8):
        assert post(collector, port, number).status_code == 204
    assert queued(port.nodes) == Counter(range(8))


def test_a_request_may_span_all_nodes(collector: Collector, port: Port) -> None:
    assert post(collector, port, *range(8), 3).status_code == 204
    assert queued(port.nodes) == Counter([*range(8), 3])


def test_only_hits_of_a_node_that_is_away_are_refused(collector: Collector, port: Port) -> None:
    away, there = port.nodes.of(MIDDLE), [n for n in range(8) if n not in port.nodes.of(MIDDLE)]
    with down(port.nodes):
        for number in away:
            answer = post(collector, port, number)
            assert (answer.status_code, answer.json()["reason"]) == (503, "queue_away")
        for number in there:
            assert post(collector, port, number).status_code == 204
        assert post(collector, port, *there).status_code == 204
        assert post(collector, port, *range(8), lost=3).status_code == 503
        assert losses.total(port.redis) == 0
        assert collector.http.get("/health/ready").status_code == 200
    until(lambda: post(collector, port, *range(8)).status_code == 204, "all are taken again", 10)


def whole_way(port: Port, url: str) -> None:
    """A hit to each partition, from the collector to its row."""
    settings = replace(port.settings, queue_url=url)
    publishing.keep_current(port.db, port.redis)
    with houses.running(make_app(settings, patience=1)) as collector, working(settings):
        assert post(collector, port, *range(8)).status_code == 204
        until(lambda: port.rows("SELECT count(*) FROM event") == [(8,)], "they are stored", 20)


def test_a_cluster_with_a_password(port: Port) -> None:
    with port.nodes.configured("requirepass", "s3cret", ""):
        whole_way(port, port.nodes.url.replace("://", "://default:s3cret@"))


def test_nodes_that_tell_no_address_are_where_they_were_asked(port: Port) -> None:
    kind = "cluster-preferred-endpoint-type"
    with port.nodes.configured(kind, "unknown-endpoint", "ip"):
        whole_way(port, port.nodes.url)


@pytest.mark.slow
def test_every_node_is_away(collector: Collector, port: Port) -> None:
    with down(port.nodes, 0, 1, 2):
        assert post(collector, port, 0).status_code == 503
        assert collector.http.get("/health/ready").status_code == 503
    until(lambda: post(collector, port, *range(8)).status_code == 204, "all are taken again", 10)


def test_what_senders_lost_is_summed_up_beside_the_key_table(
    collector: Collector, port: Port
) -> None:
    assert post(collector, port, 0, lost=3).status_code == 204
    assert losses.total(port.redis) == 3


def test_the_fullest_node_decides(collector: Collector, port: Port) -> None:
    with port.nodes.nodes[MIDDLE].client() as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 100_000)
        try:
            refused = until_refused(collector, port)
            assert refused.json()["reason"] == "queue_full"
        finally:
            client.config_set("maxmemory", before or 0)
    until(lambda: post(collector, port, 0).status_code == 204, "hits are taken again", 10)


def until_refused(collector: Collector, port: Port) -> httpx2.Response:
    answers: list[httpx2.Response] = []

    def refused() -> bool:
        answers.append(post(collector, port, port.nodes.of(0)[0]))
        return answers[-1].status_code == 503

    until(refused, "hits are refused", 10)
    return answers[-1]


@contextmanager
def down(nodes: Nodes, *numbers: int) -> Iterator[None]:
    """Nodes that are killed while the block runs; the middle one without any named."""
    for number in numbers or (MIDDLE,):
        nodes.nodes[number].kill()
    try:
        yield
    finally:
        nodes.restart(*(numbers or (MIDDLE,)))


def test_a_node_that_is_in_no_cluster_hides_no_cluster(port: Port) -> None:
    stranger = Node(port.nodes.nodes[0].folder.parent / "stranger", free_port(), free_port())
    try:
        stranger.start()
        whole_way(port, port.nodes.url.replace("://", f"://127.0.0.1:{stranger.port},"))
    finally:
        stranger.kill()
