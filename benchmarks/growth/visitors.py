"""All hits by one visitor, which are of one partition and one profile, beside hits by many."""

from benchmarks.figures import Report
from benchmarks.growth.draining import drain, workers
from benchmarks.growth.sizes import Sizes
from benchmarks.hits import new_hits, new_visitors
from benchmarks.stack import Stack

_WARM_UP = 100


def measure(stack: Stack, report: Report, sizes: Sizes) -> None:
    """Both on installations of their own, by turns."""
    for _ in range(sizes.rounds):
        many = new_visitors(sizes.hits)
        for name, visitors in (("many", many), ("one", many[:1])):
            with stack.site() as site, workers(site) as pids:
                drain(site, pids, new_hits(_WARM_UP))
                figures = drain(site, pids, new_hits(sizes.hits, visitors))
                site.check(stored=_WARM_UP + sizes.hits, queued=0)
            report.add(f"visitors: {name}", figures)
