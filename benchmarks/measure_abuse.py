"""What normal senders notice of slow ones, and of a burst of ten times the load."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from benchmarks.costs import memory_mb
from benchmarks.figures import Report
from benchmarks.load import Plan, Result
from benchmarks.stack import BenchmarkError, Load, LoadGenerators, Site, Stack, collector, process

SLOW_SENDERS = 500
NORMAL_RATE = 800.0
TIMES = 10
"""How much more than normal a burst is."""
_CONNECTIONS = 64
_RECOVERED = 2.0
"""Of the normal p99: so near to it is recovered."""
_PAUSE = 0.1
_AFTERWARDS = 8
"""Seconds that are looked at after a burst."""


def measure(stack: Stack, report: Report, seconds: float, rounds: int, rate: float) -> None:
    """Rounds of both, each beside the normal load in the same round; the collector forgets none."""
    rate = rate or NORMAL_RATE
    with stack.site() as site, collector(site) as pid:
        _load(site, seconds)
        site.empty_queue()
        for _ in range(rounds):
            report.add(f"{SLOW_SENDERS} slow senders", _slow(site, pid, seconds, rate))
            report.add(f"a burst of {TIMES} times", _burst(site, pid, seconds, rate))


def _slow(site: Site, pid: int, seconds: float, rate: float) -> dict[str, float]:
    quiet, full = _load(site, seconds, rate), _load(site, seconds)
    before = memory_mb({"collector": pid})["collector"]
    with _slow_senders(site):
        beside, full_beside = _load(site, seconds, rate), _load(site, seconds)
        during = memory_mb({"collector": pid})["collector"]
    _check(site, [quiet, full, beside, full_beside])
    return {
        "normal_per_second": rate,
        "p50_ms": beside.p50_ms,
        "p99_ms": beside.p99_ms,
        "without_them_p50_ms": quiet.p50_ms,
        "without_them_p99_ms": quiet.p99_ms,
        "most_per_second": full_beside.acknowledged / full_beside.seconds,
        "without_them_most_per_second": full.acknowledged / full.seconds,
        "collector_mb": during,
        "without_them_collector_mb": before,
    }


def _burst(site: Site, pid: int, seconds: float, rate: float) -> dict[str, float]:
    """Processes that send are ready beforehand: it is the collector that is to recover."""
    normal, before = _load(site, seconds, rate), memory_mb({"collector": pid})["collector"]
    with LoadGenerators() as generators:
        many = Plan(0, "", seconds, connections=4 * _CONNECTIONS, rate=TIMES * rate)
        storm = _prepare(generators, site, many)
        later = [_prepare(generators, site, _plan(1.0, rate)) for _ in range(_AFTERWARDS)]
        storm.go()
        peak = before
        while not storm.is_done():
            peak = max(peak, memory_mb({"collector": pid})["collector"])
            time.sleep(_PAUSE)
        burst, after = storm.result(), []
        for load in later:
            load.go()
            after.append(load.result())
    _check(site, [normal, burst, *after])
    good = [result.p99_ms <= _RECOVERED * normal.p99_ms for result in after]
    return {
        "normal_per_second": rate,
        "burst_per_second": burst.acknowledged / burst.seconds,
        "p50_ms": burst.p50_ms,
        "p99_ms": burst.p99_ms,
        "normal_p50_ms": normal.p50_ms,
        "normal_p99_ms": normal.p99_ms,
        "recovered_after_s": float(good.index(True) if True in good else _AFTERWARDS),
        "last_p99_ms": after[-1].p99_ms,
        "burst_collector_mb": peak,
        "normal_collector_mb": before,
    }


def _plan(seconds: float, rate: float = 0.0) -> Plan:
    return Plan(0, "", seconds, connections=_CONNECTIONS, rate=rate)


def _prepare(generators: LoadGenerators, site: Site, plan: Plan) -> Load:
    where = {"port": site.settings.collector_port, "key": site.key}
    return generators.prepare(site, msgspec.structs.replace(plan, **where))


def _load(site: Site, seconds: float, rate: float = 0.0) -> Result:
    with LoadGenerators() as generators:
        load = _prepare(generators, site, _plan(seconds, rate))
        load.go()
        return load.result()


def _check(site: Site, results: list[Result]) -> None:
    """Redis must have exactly what was acknowledged."""
    site.check(stored=0, queued=sum(result.acknowledged for result in results))
    site.empty_queue()


@contextmanager
def _slow_senders(site: Site) -> Iterator[None]:
    arguments = (str(site.settings.collector_port), site.key, str(SLOW_SENDERS))
    with process(site.settings, "benchmarks.slow_senders", *arguments) as running:
        assert running.stdout is not None
        if not running.stdout.readline():
            raise BenchmarkError("The slow senders ended too early; their error is above.")
        yield
