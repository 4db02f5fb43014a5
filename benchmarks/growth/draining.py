"""Rounds of workers: hits are queued while they stand still, and stored once they go on."""

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.costs import CpuMeter, by_kind
from benchmarks.figures import per_hit
from benchmarks.measure_worker import counted, until
from benchmarks.queueing import append
from benchmarks.stack import Site, worker

_PATIENCE = 30.0
_SHARES = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 7361"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY pid"
)
"""Partitions of each worker; the lock's number is that of tracker/stores/worker_locks.py."""


@contextmanager
def workers(site: Site, count: int = 1) -> Iterator[dict[str, int]]:
    """So many workers that have shared the partitions between them; their process ids by name."""
    with ExitStack() as opened:
        pids = [opened.enter_context(worker(site)) for _ in range(count)]
        until(lambda: _shared(site, count), _PATIENCE, "sharing the partitions")
        yield {f"worker {number}": pid for number, pid in enumerate(pids, 1)}


def drain(
    site: Site, pids: Mapping[str, int], hits: Iterable[bytes], keys: Sequence[str] = ()
) -> dict[str, float]:
    """Have these workers store hits by these snippet keys; counted from when they may read."""
    with stopped(pids.values()):
        before = counted(site)
        count = append(site, hits, keys)
        meter = CpuMeter({**pids, **site.pids}, without=site.own_backend)
        start = time.perf_counter()
    wait(site, before, count)
    seconds, used = time.perf_counter() - start, by_kind(meter.used())
    return {
        "hits_per_second": count / seconds,
        "hits_per_core_second": count / sum(used.values()),
        **per_hit(used, count),
    }


def wait(site: Site, before: int, hits: int) -> None:
    """Return once so many hits more than before have an outcome. Raises BenchmarkError."""
    until(lambda: counted(site) >= before + hits, 10 + hits / 100, "storing all hits")


@contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """Have processes stand still meanwhile; they keep their connections and locks."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _shared(site: Site, workers: int) -> bool:
    shares = [held for (held,) in site.database.execute(_SHARES)]
    fair = -(-site.settings.partitions // workers)
    return len(shares) == workers and max(shares) <= fair
