"""Along the number of definitions, with the hits spread over all of them."""

from benchmarks.catalogue import data_of, fields_of, track
from benchmarks.figures import Report
from benchmarks.growth.draining import drain, workers
from benchmarks.growth.sizes import Sizes
from benchmarks.hits import new_hits
from benchmarks.stack import Stack

DEFINITIONS = (1, 100, 1_000, 10_000)
_FIELDS = 4
_SAMPLES = 50


def measure(stack: Stack, report: Report, sizes: Sizes) -> None:
    """Each number on an installation of its own, by turns.

    What the worker does once for each definition, at its first hit, is a row of its own.
    """
    fields = fields_of(_FIELDS)
    data = [data_of(fields) for _ in range(_SAMPLES)]
    for _ in range(sizes.rounds):
        for number in DEFINITIONS:
            with stack.site() as site:
                keys = track(site, number, fields)
                with workers(site) as pids:
                    first = drain(site, pids, new_hits(number, data=data), keys)
                    figures = drain(site, pids, new_hits(sizes.hits, data=data), keys)
                site.check(stored=number + sizes.hits, queued=0)
            if number == DEFINITIONS[-1]:
                report.add(f"first hits of definitions: {number:,}", first)
            report.add(f"definitions: {number:,}", figures)
