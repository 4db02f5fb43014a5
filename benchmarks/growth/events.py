"""Along the events that the table has already, with the profiles that they belong to."""

import time
from collections.abc import Mapping, Sequence

from benchmarks.copying import copy_again
from benchmarks.figures import Report
from benchmarks.filling import fill, some_visitors, warm_up
from benchmarks.growth.draining import drain, workers
from benchmarks.growth.sizes import Sizes
from benchmarks.hits import new_hits
from benchmarks.measure_worker import ratios
from benchmarks.stack import Site, Stack
from tracker.rules import ids

_WARM_UP = 2_000
_VISITORS = 100_000


def measure(stack: Stack, report: Report, sizes: Sizes) -> None:
    """One installation that is filled up step by step; the rounds of a step are its own.

    At each step first hits by visitors who are new, then by some who have a profile.
    """
    with stack.site() as site, workers(site) as pids:
        stored = _drained(site, pids, 0, _WARM_UP, ())
        filled = 0
        for events in (0, sizes.events // 10, sizes.events * 3 // 10, sizes.events):
            fill(site, events - filled)
            stored, filled = stored + events - filled, events
            rows: dict[str, Sequence[bytes]] = {"events": ()}
            if events:
                rows["events, known visitors"] = some_visitors(site, _VISITORS)
            for row, visitors in rows.items():
                stored = _drained(site, pids, stored, warm_up(events), visitors)
                for _ in range(sizes.rounds):
                    figures, stored = _round(site, pids, stored, sizes.hits, visitors)
                    report.add(f"{row}: {events:,}", figures)


def _round(
    site: Site, pids: Mapping[str, int], stored: int, hits: int, visitors: Sequence[bytes]
) -> tuple[dict[str, float], int]:
    """The worker's figures, and those of a COPY of the same rows; and how many are stored then."""
    since = ids.first_of(time.time_ns() // 1_000_000)
    worker = drain(site, pids, new_hits(hits, visitors))
    site.check(stored=stored + hits, queued=0)
    copied = copy_again(site, hits, since)
    site.check(stored=stored + hits, queued=0)
    return {**worker, **copied, **ratios(worker, copied)}, stored + hits


def _drained(
    site: Site, pids: Mapping[str, int], stored: int, hits: int, visitors: Sequence[bytes]
) -> int:
    """Have hits stored that are not measured: what is cold gets warm; returns how many are then."""
    if not hits:
        return stored
    drain(site, pids, new_hits(hits, visitors))
    site.check(stored=stored + hits, queued=0)
    return stored + hits
