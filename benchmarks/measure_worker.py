"""Measurement 2: what the worker stores out of a full queue, beside a bare COPY of its rows."""

import time
from collections.abc import Callable

import psycopg

from benchmarks.costs import CpuMeter, memory_mb
from benchmarks.figures import Report, in_memory, per_hit
from benchmarks.hits import new_hits
from benchmarks.stack import BenchmarkError, Site, Stack, worker
from tracker.rules.hits import Sender, partition_of
from tracker.stores.hit_queue import pack_append, pack_sender, pack_text

SENDER = Sender(
    agent="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
"""That of hits.py's requests."""

HITS_PER_SECOND = 10_000
"""About what a worker stores: this many are queued for each second that a round should take."""
_POLL = 0.01
_SLOWEST = 300
"""Hits a second below which a round is given up."""
_BLOCK = 1 << 20


def measure(stack: Stack, report: Report, hits: int, rounds: int) -> None:
    """Rounds of the worker, each followed by a COPY of the rows that it stored."""
    for _ in range(rounds):
        with stack.site() as site:
            fill(site, hits)
            stored = _drain(site, hits)
            site.check(stored=hits, queued=0)
            copied = _copy(site, hits)
            report.add("worker", {**stored, **copied, **_ratios(stored, copied)})


def fill(site: Site, count: int) -> None:
    """Queue that many hits with the collector's own packing."""
    key, sent = pack_text(site.key), pack_text(str(time.time_ns() // 1_000_000))
    sender = pack_sender(SENDER)
    commands = [
        pack_append(partition_of(raw, site.settings.partitions), key, sent, sender, raw)
        for raw in new_hits(count)
    ]
    connection = site.redis.connection_pool.get_connection()
    for start in range(0, count, 1000):
        some = commands[start : start + 1000]
        connection.send_packed_command([b"".join(some)])  # type: ignore[no-untyped-call]
        for _ in some:
            connection.read_response()
    site.redis.connection_pool.release(connection)


def _drain(site: Site, hits: int) -> dict[str, float]:
    """Let a worker store all that is queued; counted from when it begins to read."""
    with worker(site) as pid:
        pids = {"worker": pid, **site.pids}
        meter, start = CpuMeter(pids, without=site.own_backend), time.perf_counter()
        until(lambda: counted(site) >= hits, hits / _SLOWEST + 10, "storing all hits")
        seconds, used = time.perf_counter() - start, meter.used()
        return {
            "hits_per_second": hits / seconds,
            "hits_per_core_second": hits / sum(used.values()),
            "worker_hits_per_core_second": hits / used["worker"],
            **per_hit(used, hits),
            **in_memory(memory_mb(pids)),
        }


def _copy(site: Site, rows: int) -> dict[str, float]:
    """Write the same rows into the same table, empty again, as fast as PostgreSQL takes them."""
    blocks = _read_out(site.database)
    site.database.execute("TRUNCATE event")
    with psycopg.connect(site.settings.database_url) as connection:
        meter, start = CpuMeter(site.pids, without=site.own_backend), time.perf_counter()
        with connection.cursor().copy("COPY event FROM STDIN (FORMAT binary)") as copy:
            for block in blocks:
                copy.write(block)
        connection.commit()
        seconds, used = time.perf_counter() - start, meter.used()
        found = connection.execute("SELECT count(*) FROM event").fetchone()
    if found != (rows,):
        raise BenchmarkError(f"COPY wrote {found} rows, not {rows}.")
    return {
        "copy_rows_per_second": rows / seconds,
        "copy_postgres_us_per_row": 1e6 * used["postgres"] / rows,
    }


def _read_out(connection: psycopg.Connection) -> list[bytes]:
    """All columns of all rows in binary, in large blocks: Python has little to do later."""
    every_column = "COPY (SELECT * FROM event) TO STDOUT (FORMAT binary)"
    with connection.cursor().copy(every_column) as copy:
        whole = b"".join(bytes(data) for data in copy)
    return [whole[start : start + _BLOCK] for start in range(0, len(whole), _BLOCK)]


def _ratios(stored: dict[str, float], copied: dict[str, float]) -> dict[str, float]:
    return {
        "ratio_worker_to_copy": stored["hits_per_second"] / copied["copy_rows_per_second"],
        "ratio_postgres_cpu_to_copy": (
            stored["postgres_us_per_hit"] / copied["copy_postgres_us_per_row"]
        ),
    }


def counted(site: Site) -> int:
    """Hits with a committed outcome."""
    row = site.database.execute("SELECT sum(counted)::bigint FROM hit_partition").fetchone()
    return int(row[0]) if row else 0


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once the condition holds. Raises BenchmarkError after a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{what} took more than {seconds:.0f} s.")
        time.sleep(_POLL)
