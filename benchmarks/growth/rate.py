"""Along the rate, end to end: shares of the highest rate that is kept up with."""

from benchmarks.figures import Report
from benchmarks.growth.sizes import Sizes
from benchmarks.measure_whole import highest_rate, trial_at
from benchmarks.stack import Stack

PERCENT = (10, 25, 50, 75, 90)


def measure(stack: Stack, report: Report, sizes: Sizes) -> None:
    """Each share on an installation of its own, by turns."""
    most = sizes.rate or highest_rate(stack)
    for _ in range(sizes.rounds):
        for percent in PERCENT:
            _, figures = trial_at(stack, most * percent / 100, sizes.seconds)
            report.add(f"rate: {percent} %", figures)
