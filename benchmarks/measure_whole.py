"""Collector and worker together, at a rate that they keep up with."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median, quantiles

from benchmarks.costs import CpuMeter, memory_mb
from benchmarks.figures import Report, in_memory, per_hit
from benchmarks.load import Plan, Result
from benchmarks.measure_worker import until
from benchmarks.probe import Probes
from benchmarks.stack import BenchmarkError, LoadGenerators, Site, Stack, collector, worker

_TURN = 0.005
_LAG_PAUSE = 0.25
_KEPT_UP = 0.5
"""Seconds' worth of hits that may be queued at the end of a load that was kept up with."""
_ON_TIME = 0.98
_STEP_SECONDS = 1.5
_FIRST_RATE = 2000.0
_STEPS = 12
_TRIES = 8
_MARGIN = 0.9
_PATIENCE = 60.0


@dataclass(slots=True)
class Trial:
    """A load at one rate: what the client saw, what queued up, and what it cost."""

    rate: float
    result: Result
    lags: list[int]
    delays: list[float]
    hits: int
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def kept_up(self) -> bool:
        """Whether the hits came in on time, and the queue was short at the end."""
        on_time = self.result.acknowledged >= _ON_TIME * self.rate * self.result.seconds
        return on_time and self.lags[-1] <= max(_KEPT_UP * self.rate, 10)


def measure(stack: Stack, report: Report, seconds: float, rounds: int, rate: float) -> None:
    """Rounds at one rate, that of `--rate` or of a ramp, each on an installation of its own."""
    rate = rate or _MARGIN * highest_rate(stack)
    done = tries = 0
    while done < rounds:
        trial, figures = trial_at(stack, rate, seconds)
        if trial.kept_up:
            done += 1
            report.add("end to end", figures)
            continue
        rate, tries = rate * _MARGIN, tries + 1
        if tries > _TRIES:
            raise BenchmarkError(f"Not even {rate:.0f} hits a second were kept up with.")


def highest_rate(stack: Stack) -> float:
    """The highest rate that short loads found to be kept up with."""
    good, bad, rate = 0.0, 0.0, _FIRST_RATE
    with stack.site() as site, collector(site), worker(site):
        for _ in range(_STEPS):
            if _load(site, {}, rate, _STEP_SECONDS).kept_up:
                good = rate
            else:
                bad = rate
            if bad and bad - good < good / 10:
                break
            rate = (good + bad) / 2 if bad else good * 1.5
    if not good:
        raise BenchmarkError("The ramp found no rate that was kept up with.")
    return good


def trial_at(stack: Stack, rate: float, seconds: float) -> tuple[Trial, dict[str, float]]:
    """A load at this rate, and its figures, on an installation of its own."""
    with stack.site() as site, collector(site) as collector_pid, worker(site) as worker_pid:
        pids = {"collector": collector_pid, "worker": worker_pid, **site.pids}
        warm_up = _load(site, {}, rate, min(1.0, seconds))
        trial = _load(site, pids, rate, seconds)
        memory = in_memory(memory_mb(pids))
        site.check(stored=warm_up.hits + trial.hits, queued=0)
    return trial, {**_figures(trial), **memory}


def _load(site: Site, pids: dict[str, int], rate: float, seconds: float) -> Trial:
    """Load at this rate with probes beside it; ends when every hit of it is stored."""
    probes, lags = Probes(site), [0]
    with LoadGenerators() as generators:
        load = generators.prepare(
            site, Plan(site.settings.collector_port, site.key, seconds, rate=rate)
        )
        meter = CpuMeter(pids, without=site.own_backend if pids else {})
        load.go()
        _watch(site, probes, lags, load.is_done)
        result = load.result()
    until(lambda: not (site.queued() or _still(probes)), _PATIENCE, "draining the queue")
    hits = result.acknowledged + probes.sent
    return Trial(rate, result, lags, probes.delays, hits, meter.used())


def _still(probes: Probes) -> bool:
    probes.look(sending=False)
    return probes.waiting


def _watch(site: Site, probes: Probes, lags: list[int], is_done: Callable[[], bool]) -> None:
    """Probe until the load is done, and look at the queue now and then, at last right away."""
    next_lag = 0.0
    while not is_done():
        turn = time.perf_counter()
        probes.look()
        if turn >= next_lag:
            next_lag = turn + _LAG_PAUSE
            lags.append(site.queued())
        time.sleep(max(0.0, _TURN - (time.perf_counter() - turn)))
    lags.append(site.queued())


def _figures(trial: Trial) -> dict[str, float]:
    delays = [1000 * delay for delay in trial.delays]
    return {
        "hits_per_second": trial.hits / trial.result.seconds,
        "hits_per_core_second": trial.hits / sum(trial.cpu_seconds.values()),
        "answer_p50_ms": trial.result.p50_ms,
        "answer_p99_ms": trial.result.p99_ms,
        "visible_p50_ms": median(delays),
        "visible_p99_ms": quantiles(delays, n=100, method="inclusive")[98],
        "probes": len(delays),
        "most_queued": max(trial.lags),
        "queued_at_end": trial.lags[-1],
        **per_hit(trial.cpu_seconds, trial.hits),
    }
