"""`/metrics`: the figures of the whole installation, in Prometheus's text format.

Every web process has the same ones, so one of them is enough to scrape.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from tracker.actions.overseeing import Overview
from tracker.stores.servers import RedisServer

LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Who comes with one of these came through a proxy: not from this machine, as far as is known."""
Values = Iterable[tuple[tuple[str, ...], float]]
"""Labels' values, and the figure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric; `read` gives nothing while what it is read from is away."""

    name: str
    labels: tuple[str, ...]
    meaning: str
    read: Callable[[Overview], Values]

    @property
    def kind(self) -> str:
        return "counter" if self.name.endswith("_total") else "gauge"

    def family(self, seen: Overview) -> Metric:
        shape = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        family = shape(self.name, self.meaning, labels=self.labels)
        for labels, value in self.read(seen):
            family.add_metric(labels, value)
        return family


def one(read: Callable[[Overview], float | None]) -> Callable[[Overview], Values]:
    """The values of a figure without labels; None: it is not known now."""

    def values(seen: Overview) -> Values:
        value = read(seen)
        return [] if value is None else [((), value)]

    return values


def _up(seen: Overview) -> Values:
    there = {"postgresql": seen.database, "redis": seen.redis, "queue": seen.queue}
    return [((server,), float(bool(found))) for server, found in there.items()]


def _queue(seen: Overview) -> Values:
    return [((str(p.partition),), p.queued) for p in seen.queue.waiting] if seen.queue else []


def _nodes(read: Callable[[RedisServer], float]) -> Callable[[Overview], Values]:
    def values(seen: Overview) -> Values:
        found = seen.queue.servers if seen.queue else {}
        return [((address,), read(server)) for address, server in sorted(found.items())]

    return values


def _nodes_up(seen: Overview) -> Values:
    if not seen.queue:
        return []
    up = {**dict.fromkeys(seen.queue.servers, 1.0), **dict.fromkeys(seen.queue.away, 0.0)}
    return [((address,), value) for address, value in sorted(up.items())]


def _refused(seen: Overview) -> Values:
    return [((name,), n) for name, n in sorted(seen.redis.refused.items())] if seen.redis else []


def _jobs(seen: Overview) -> Values:
    if not seen.redis or seen.redis.jobs is None:
        return []
    states = [job.state for job in seen.redis.jobs]
    return [((state,), states.count(state)) for state in ("failed", "running", "waiting")]


def _processes(figure: str) -> Callable[[Overview], Values]:
    def values(seen: Overview) -> Iterator[tuple[tuple[str, ...], float]]:
        for kind in ("web", "collector", "worker", "jobs"):
            for report in seen.running(kind):
                yield (kind, report.host, str(report.pid)), report.figure(figure)

    return values


def _moved(seen: Overview) -> Values:
    return [
        ((move.from_state, move.to_state, move.reason), hits)
        for move, hits in sorted(seen.later.items())
    ]


FIGURES = (
    Figure(
        "pintag_up",
        ("server",),
        "1 while it can be reached; queue: the hit queue, wherever it is.",
        _up,
    ),
    Figure(
        "pintag_sink",
        (),
        "1 while what is accepted gets stored, as /health/sink says.",
        one(lambda seen: float(seen.sink is None)),
    ),
    Figure(
        "pintag_hits_accepted_total",
        (),
        "Hits that the queue took; begins again should Redis lose its data.",
        one(lambda seen: seen.accepted if seen.queue and not seen.queue.stopped else None),
    ),
    Figure(
        "pintag_hits_total",
        ("outcome", "reason"),
        "Hits by what became of them first.",
        lambda seen: sorted(seen.first.items()),
    ),
    Figure(
        "pintag_hits_moved_total",
        ("origin", "outcome", "reason"),
        "Hits and events by what became of them later: released, replayed, erased, expired.",
        _moved,
    ),
    Figure(
        "pintag_refused_total",
        ("reason",),
        "Requests that collectors refused, by reason.",
        _refused,
    ),
    Figure(
        "pintag_lost_total",
        (),
        "Hits that senders had to give up, at least.",
        one(lambda seen: seen.redis.lost if seen.redis else None),
    ),
    Figure("pintag_queue_hits", ("partition",), "Hits that wait for a worker.", _queue),
    Figure(
        "pintag_queue_age_seconds",
        (),
        "How long the oldest of them waits; 0 where none does.",
        one(lambda seen: (seen.waiting or 0.0) if seen.queue else None),
    ),
    Figure(
        "pintag_queue_up",
        ("server",),
        "1 while a server of the queue can be reached; a cluster has several.",
        _nodes_up,
    ),
    Figure(
        "pintag_queue_memory_bytes",
        ("server",),
        "Memory of it that counts towards its limit.",
        _nodes(lambda server: server.memory),
    ),
    Figure(
        "pintag_queue_memory_limit_bytes",
        ("server",),
        "The limit, at which it refuses hits; 0: none.",
        _nodes(lambda server: server.limit),
    ),
    Figure(
        "pintag_held_hits",
        (),
        "Hits that are held until their version can be used.",
        one(lambda seen: seen.held if seen.database else None),
    ),
    Figure(
        "pintag_quarantined_hits",
        (),
        "Hits in the quarantine.",
        one(lambda seen: seen.quarantined if seen.database else None),
    ),
    Figure(
        "pintag_collectors",
        (),
        "Collectors that reported within 15 seconds.",
        one(lambda seen: len(seen.running("collector")) if seen.redis else None),
    ),
    Figure(
        "pintag_workers",
        (),
        "Workers that reported within 15 seconds.",
        one(lambda seen: len(seen.running("worker")) if seen.redis else None),
    ),
    Figure(
        "pintag_process_cpu_seconds_total",
        ("process", "host", "pid"),
        "Seconds of CPU that a process used.",
        _processes("cpu"),
    ),
    Figure(
        "pintag_process_hits_total",
        ("process", "host", "pid"),
        "Hits that a collector took, or a worker committed, since it started.",
        _processes("hits"),
    ),
    Figure(
        "pintag_jobs", ("state",), "Long jobs that run or wait, or failed in the last week.", _jobs
    ),
    Figure(
        "pintag_redis_memory_bytes",
        (),
        "Memory of Redis that counts towards its limit.",
        one(lambda seen: seen.redis.server.memory if seen.redis else None),
    ),
    Figure(
        "pintag_redis_memory_limit_bytes",
        (),
        "Its limit, at which it takes no more; 0: none.",
        one(lambda seen: seen.redis.server.limit if seen.redis else None),
    ),
    Figure(
        "pintag_database_bytes",
        (),
        "Size of the database on disk.",
        one(lambda seen: seen.database.server.bytes if seen.database else None),
    ),
)


class _Scrape:
    """What the library asks for the metrics of one overview."""

    def __init__(self, seen: Overview) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        for figure in FIGURES:
            yield figure.family(self._seen)


def text(seen: Overview) -> bytes:
    """The metrics of an overview."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Scrape(seen))
    return generate_latest(registry)


def get_metrics(request: Request) -> Response:
    """The metrics, for who has the token; without a token set, for this machine."""
    refusal = _refusal(request, request.app.state.settings.metrics_token)
    if refusal:
        return refusal
    seen = request.app.state.oversight.overview()
    return Response(text(seen), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _refusal(request: Request, token: str) -> Response | None:
    if token:
        given = request.headers.get("authorization", "").encode()
        if hmac.compare_digest(given, f"Bearer {token}".encode()):
            return None
        said = "Send the header `Authorization: Bearer` with the token in PINTAG_METRICS_TOKEN.\n"
        return Response(said, HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    here = request.client is not None and request.client.host in LOOPBACK
    if here and not any(name in request.headers for name in FORWARDED):
        return None
    said = "Set PINTAG_METRICS_TOKEN, and send it as a bearer token: without, they are for this"
    return Response(f"{said} machine alone, and not through a proxy.\n", HTTPStatus.FORBIDDEN)
