"""Measurement 1: what the collector acknowledges, beside a server that only answers 204."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.costs import CpuMeter, memory_mb
from benchmarks.figures import Report, in_memory, per_hit
from benchmarks.load import Plan, Result
from benchmarks.stack import (
    LoadGenerators,
    Site,
    Stack,
    collector,
    free_port,
    process,
    wait_for_port,
)

HITS_EACH = (1, 10)
_WARM_UP_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Answered:
    """A load that was answered, and the CPU seconds it took."""

    result: Result
    cpu_seconds: dict[str, float]
    hits: int

    @property
    def rate(self) -> float:
        return self.hits / self.result.seconds


def measure(stack: Stack, report: Report, seconds: float, rounds: int) -> None:
    """Rounds of the reference and the collector by turns, with 1 and with 10 hits a request."""
    with stack.site() as site, _reference(site) as (port, reference), collector(site) as pid:
        real, bare = {"collector": pid, "valkey": site.pids["valkey"]}, {"reference": reference}
        for which, where in ((bare, port), (real, site.settings.collector_port)):
            _load(site, which, Plan(where, site.key, min(seconds, _WARM_UP_SECONDS)))
        site.empty_queue()
        for _ in range(rounds):
            for each in HITS_EACH:
                before = _load(site, bare, Plan(port, site.key, seconds, each, again=True))
                after = _collect(site, real, seconds, each)
                report.add(f"collector, {each} a POST", _figures(before, after, real))


def _collect(site: Site, pids: dict[str, int], seconds: float, each: int) -> Answered:
    """Load the collector; Redis must then have exactly the hits it acknowledged."""
    answered = _load(site, pids, Plan(site.settings.collector_port, site.key, seconds, each))
    site.check(stored=0, queued=answered.hits)
    site.empty_queue()
    return answered


def _load(site: Site, pids: dict[str, int], plan: Plan) -> Answered:
    with LoadGenerators() as generators:
        load = generators.prepare(site, plan)
        meter = CpuMeter(pids)
        load.go()
        result = load.result()
        return Answered(result, meter.used(), result.acknowledged * plan.hits_each)


def _figures(before: Answered, after: Answered, pids: dict[str, int]) -> dict[str, float]:
    per_core, reference = after.hits / after.cpu_seconds["collector"], before.hits
    reference_per_core = reference / before.cpu_seconds["reference"]
    return {
        "hits_per_second": after.rate,
        "hits_per_core_second": per_core,
        "p50_ms": after.result.p50_ms,
        "p99_ms": after.result.p99_ms,
        "reference_hits_per_second": before.rate,
        "reference_hits_per_core_second": reference_per_core,
        "reference_p50_ms": before.result.p50_ms,
        "reference_p99_ms": before.result.p99_ms,
        "ratio_per_second": after.rate / before.rate,
        "ratio_per_core_second": per_core / reference_per_core,
        **per_hit(after.cpu_seconds, after.hits),
        **in_memory(memory_mb(pids)),
        "client_share_of_a_core": after.result.cpu_seconds / after.result.seconds,
        "reference_client_share": before.result.cpu_seconds / before.result.seconds,
    }


@contextmanager
def _reference(site: Site) -> Iterator[tuple[int, int]]:
    """The reference server: its port and process id."""
    port = free_port()
    with process(site.settings, "benchmarks.reference_server", str(port)) as running:
        wait_for_port(port)
        yield port, running.pid
