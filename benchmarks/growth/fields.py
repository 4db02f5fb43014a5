"""Along the fields of a definition: hits that have them all."""

from benchmarks.catalogue import data_of, fields_of, track
from benchmarks.figures import Report
from benchmarks.growth.draining import drain, workers
from benchmarks.growth.sizes import Sizes
from benchmarks.hits import new_hits
from benchmarks.stack import Stack

FIELDS = (1, 4, 12, 50, 100)
_SAMPLES = 50
_WARM_UP = 100


def measure(stack: Stack, report: Report, sizes: Sizes) -> None:
    """Each number of fields on an installation of its own, by turns."""
    for _ in range(sizes.rounds):
        for number in FIELDS:
            fields = fields_of(number)
            data = [data_of(fields) for _ in range(_SAMPLES)]
            with stack.site() as site:
                keys = track(site, 1, fields)
                with workers(site) as pids:
                    drain(site, pids, new_hits(_WARM_UP, data=data), keys)
                    figures = drain(site, pids, new_hits(sizes.hits, data=data), keys)
                site.check(stored=_WARM_UP + sizes.hits, queued=0)
            report.add(f"fields: {number}", figures)
