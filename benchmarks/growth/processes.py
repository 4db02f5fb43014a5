"""Along the number of workers, and of collectors that share a port."""

from benchmarks.figures import Report
from benchmarks.growth.collecting import collect, collectors
from benchmarks.growth.draining import drain, workers
from benchmarks.growth.sizes import Sizes
from benchmarks.hits import new_hits
from benchmarks.load import Plan
from benchmarks.stack import Stack

WORKERS = (1, 2, 3)
COLLECTORS = (1, 2)
_WARM_UP = 1_000
_WARM_UP_SECONDS = 0.3


def measure_workers(stack: Stack, report: Report, sizes: Sizes) -> None:
    """Each number of workers on an installation of its own, by turns."""
    for _ in range(sizes.rounds):
        for number in WORKERS:
            with stack.site() as site, workers(site, number) as pids:
                drain(site, pids, new_hits(_WARM_UP))
                figures = drain(site, pids, new_hits(sizes.hits))
                site.check(stored=_WARM_UP + sizes.hits, queued=0)
            report.add(f"workers: {number}", figures)


def measure_collectors(stack: Stack, report: Report, sizes: Sizes) -> None:
    """Each number of collectors on an installation of its own, by turns."""
    for _ in range(sizes.rounds):
        for number in COLLECTORS:
            with stack.site() as site, collectors(site, number) as pids:
                collect(site, pids, Plan(0, "", min(sizes.seconds, _WARM_UP_SECONDS)))
                figures = collect(site, pids, Plan(0, "", sizes.seconds))
            report.add(f"collectors: {number}", figures)
