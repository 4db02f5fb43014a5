"""What the collector acknowledges, beside servers that only answer 204."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.costs import CpuMeter, memory_mb
from benchmarks.figures import Report, in_memory, per_hit
from benchmarks.load import Plan, Result
from benchmarks.nginx import nginx
from benchmarks.stack import (
    LoadGenerators,
    Site,
    Stack,
    collector,
    free_port,
    process,
    wait_for_port,
)

LOADS = {"1 a POST": (1, False), "1 a POST, by a proxy": (1, True), "10 a POST": (10, False)}
"""Hits in a request, and whether each request of a connection is of another client."""
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
    """Rounds of the references and the collector by turns, with 1 and with 10 hits a request."""
    with (
        stack.site() as site,
        _reference(site) as reference,
        nginx() as other,
        collector(site) as pid,
    ):
        bare = {"reference": reference} | ({"nginx": other} if other else {})
        real = {"collector": pid, "valkey": site.pids["valkey"]}
        for name, (port, server) in bare.items():
            _load(site, {name: server}, Plan(port, site.key, min(seconds, _WARM_UP_SECONDS)))
        _collect(site, real, min(seconds, _WARM_UP_SECONDS), 1)
        for _ in range(rounds):
            for load, (each, by_proxy) in LOADS.items():
                figures: dict[str, float] = {}
                for name, (port, server) in bare.items():
                    plan = Plan(port, site.key, seconds, each, again=True, by_proxy=by_proxy)
                    figures |= _of_reference(name, _load(site, {name: server}, plan))
                before = memory_mb(real)
                figures |= _figures(_collect(site, real, seconds, each, by_proxy), real, figures)
                figures["collector_mb_before"] = before["collector"]
                report.add(f"collector, {load}", figures)


def _collect(
    site: Site, pids: dict[str, int], seconds: float, each: int, by_proxy: bool = False
) -> Answered:
    """Load the collector; Redis must then have exactly the hits it acknowledged."""
    plan = Plan(site.settings.collector_port, site.key, seconds, each, by_proxy=by_proxy)
    answered = _load(site, pids, plan)
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


def _of_reference(name: str, answered: Answered) -> dict[str, float]:
    return {
        f"{name}_hits_per_second": answered.rate,
        f"{name}_hits_per_core_second": answered.hits / answered.cpu_seconds[name],
        f"{name}_p50_ms": answered.result.p50_ms,
        f"{name}_p99_ms": answered.result.p99_ms,
        f"{name}_client_share": answered.result.cpu_seconds / answered.result.seconds,
    }


def _figures(
    answered: Answered, pids: dict[str, int], references: dict[str, float]
) -> dict[str, float]:
    per_core = answered.hits / answered.cpu_seconds["collector"]
    figures = {
        "hits_per_second": answered.rate,
        "hits_per_core_second": per_core,
        "p50_ms": answered.result.p50_ms,
        "p99_ms": answered.result.p99_ms,
        "ratio_per_second": answered.rate / references["reference_hits_per_second"],
        "ratio_per_core_second": per_core / references["reference_hits_per_core_second"],
        **per_hit(answered.cpu_seconds, answered.hits),
        **in_memory(memory_mb(pids)),
        "client_share_of_a_core": answered.result.cpu_seconds / answered.result.seconds,
    }
    if "nginx_hits_per_core_second" in references:
        figures["ratio_to_nginx"] = per_core / references["nginx_hits_per_core_second"]
    return figures


@contextmanager
def _reference(site: Site) -> Iterator[tuple[int, int]]:
    """The reference server: its port and process id."""
    port = free_port()
    with process(site.settings, "benchmarks.reference_server", str(port)) as running:
        wait_for_port(port)
        yield port, running.pid
