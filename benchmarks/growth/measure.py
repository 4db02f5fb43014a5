"""What a hit costs as one thing grows and all else stays as it is."""

from collections.abc import Callable
from enum import StrEnum

from benchmarks.figures import Report
from benchmarks.growth import (
    connections,
    definitions,
    events,
    fields,
    posts,
    processes,
    rate,
    visitors,
)
from benchmarks.growth.sizes import Sizes
from benchmarks.stack import Stack


class Along(StrEnum):
    """What grows."""

    RATE = "rate"
    EVENTS = "events"
    FIELDS = "fields"
    DEFINITIONS = "definitions"
    VISITORS = "visitors"
    CONNECTIONS = "connections"
    POSTS = "posts"
    WORKERS = "workers"
    COLLECTORS = "collectors"


_MEASURES: dict[Along, Callable[[Stack, Report, Sizes], None]] = {
    Along.RATE: rate.measure,
    Along.EVENTS: events.measure,
    Along.FIELDS: fields.measure,
    Along.DEFINITIONS: definitions.measure,
    Along.VISITORS: visitors.measure,
    Along.CONNECTIONS: connections.measure,
    Along.POSTS: posts.measure,
    Along.WORKERS: processes.measure_workers,
    Along.COLLECTORS: processes.measure_collectors,
}


def measure(stack: Stack, report: Report, sizes: Sizes, along: Along | None = None) -> None:
    """Measure along everything, or just this; each row is named after what grew, and how far."""
    for one in [along] if along else Along:
        _MEASURES[one](stack, report, sizes)
