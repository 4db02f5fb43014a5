"""Along the connections that senders keep open to a collector, all of them busy."""

from benchmarks.figures import Report
from benchmarks.growth.collecting import collect, collectors
from benchmarks.growth.sizes import Sizes
from benchmarks.load import Plan
from benchmarks.stack import Stack

CONNECTIONS = (1, 16, 64, 256, 1_024)
_WARM_UP_SECONDS = 0.3


def measure(stack: Stack, report: Report, sizes: Sizes) -> None:
    """One collector, and each number of connections by turns."""
    with stack.site() as site, collectors(site) as pids:
        collect(site, pids, Plan(0, "", min(sizes.seconds, _WARM_UP_SECONDS)))
        for _ in range(sizes.rounds):
            for number in CONNECTIONS:
                plan = Plan(0, "", sizes.seconds, connections=number)
                report.add(f"connections: {number:,}", collect(site, pids, plan))
