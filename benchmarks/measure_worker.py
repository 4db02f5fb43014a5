"""What the worker stores out of a full queue, beside a bare COPY of its rows."""

import time
from collections.abc import Callable

from benchmarks.copying import copy_again
from benchmarks.costs import CpuMeter, memory_mb
from benchmarks.figures import Report, in_memory, per_hit
from benchmarks.hits import new_hits
from benchmarks.queueing import append
from benchmarks.stack import BenchmarkError, Site, Stack, worker

HITS_PER_SECOND = 10_000
"""About what a worker stores: this many are queued for each second that a round should take."""
_POLL = 0.01
_SLOWEST = 300
"""Hits a second below which a round is given up."""


def measure(stack: Stack, report: Report, hits: int, rounds: int) -> None:
    """Rounds of the worker, each followed by a COPY of the rows that it stored."""
    for _ in range(rounds):
        with stack.site() as site:
            append(site, new_hits(hits))
            stored = _drain(site, hits)
            site.check(stored=hits, queued=0)
            copied = copy_again(site, hits)
            report.add("worker", {**stored, **copied, **ratios(stored, copied)})


def _drain(site: Site, hits: int) -> dict[str, float]:
    """Let a worker store all that is queued; counted from when it begins to read."""
    with worker(site) as pid:
        pids = {"worker": pid, **site.pids}
        meter, start = CpuMeter(pids, without=site.own_backend), time.perf_counter()
        until(lambda: counted(site) >= hits, hits / _SLOWEST + 10, "storing all hits")
        seconds, used = time.perf_counter() - start, meter.used()
        return {
            "hits_per_second": hits / seconds,
            "hits_per_core_second": hits / sum(used.values()),
            "worker_hits_per_core_second": hits / used["worker"],
            **per_hit(used, hits),
            **in_memory(memory_mb(pids)),
        }


def ratios(stored: dict[str, float], copied: dict[str, float]) -> dict[str, float]:
    """What the worker's figures are of those of COPY."""
    return {
        "ratio_worker_to_copy": stored["hits_per_second"] / copied["copy_rows_per_second"],
        "ratio_postgres_cpu_to_copy": (
            stored["postgres_us_per_hit"] / copied["copy_postgres_us_per_row"]
        ),
    }


def counted(site: Site) -> int:
    """Hits with a committed outcome."""
    row = site.database.execute("SELECT sum(counted)::bigint FROM hit_partition").fetchone()
    return int(row[0]) if row else 0


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once the condition holds. Raises BenchmarkError after a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{what} took more than {seconds:.0f} s.")
        time.sleep(_POLL)
