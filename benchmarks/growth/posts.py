"""Along the hits that a POST has."""

from benchmarks.figures import Report
from benchmarks.growth.collecting import collect, collectors
from benchmarks.growth.sizes import Sizes
from benchmarks.load import Plan
from benchmarks.stack import Stack

HITS_EACH = (1, 10, 50)
_WARM_UP_SECONDS = 0.3


def measure(stack: Stack, report: Report, sizes: Sizes) -> None:
    """One collector, and each number of hits by turns."""
    with stack.site() as site, collectors(site) as pids:
        collect(site, pids, Plan(0, "", min(sizes.seconds, _WARM_UP_SECONDS)))
        for _ in range(sizes.rounds):
            for each in HITS_EACH:
                plan = Plan(0, "", sizes.seconds, each)
                report.add(f"hits a POST: {each}", collect(site, pids, plan))
