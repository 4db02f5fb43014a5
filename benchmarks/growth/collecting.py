"""Rounds of collectors: as many hits as they take, which must all be in the queue then."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from benchmarks.costs import CpuMeter, by_kind, memory_mb
from benchmarks.figures import per_hit
from benchmarks.load import Plan
from benchmarks.measure_worker import until
from benchmarks.stack import LoadGenerators, Site, collector

_PATIENCE = 30.0
_LISTENS = "0A"


@contextmanager
def collectors(site: Site, count: int = 1) -> Iterator[dict[str, int]]:
    """So many collectors that share a port; their process ids by name."""
    with ExitStack() as opened:
        pids = [opened.enter_context(collector(site)) for _ in range(count)]
        port = site.settings.collector_port
        until(lambda: _listening(port) >= count, _PATIENCE, "starting the collectors")
        yield {f"collector {number}": pid for number, pid in enumerate(pids, 1)}


def collect(site: Site, pids: Mapping[str, int], plan: Plan) -> dict[str, float]:
    """Load these collectors by a plan for no port and key; the queue is empty afterwards."""
    plan = msgspec.structs.replace(plan, port=site.settings.collector_port, key=site.key)
    with LoadGenerators() as generators:
        load = generators.prepare(site, plan)
        meter = CpuMeter({**pids, "valkey": site.pids["valkey"]})
        load.go()
        result = load.result()
        used = by_kind(meter.used())
    hits = result.acknowledged * plan.hits_each
    site.check(stored=0, queued=hits)
    site.empty_queue()
    return {
        "hits_per_second": hits / result.seconds,
        "hits_per_core_second": hits / sum(used.values()),
        "answer_p50_ms": result.p50_ms,
        "answer_p99_ms": result.p99_ms,
        **per_hit(used, hits),
        "collector_mb": sum(memory_mb(pids).values()),
        "client_share_of_a_core": result.cpu_seconds / result.seconds,
    }


def _listening(port: int) -> int:
    """How many sockets of this machine listen on a port."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(f":{port:04X}") and line[3] == _LISTENS for line in lines)
