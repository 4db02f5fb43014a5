"""What a million events take, on disk and in the queue, and what weeks are good for.

A week is the event table's partition.
"""

import time
from collections.abc import Mapping, Sequence

import psycopg

from benchmarks import weeks
from benchmarks.copying import copy_in, read_out, take_out
from benchmarks.figures import Figures, Report
from benchmarks.filling import fill, some_visitors, warm_up
from benchmarks.growth.draining import drain, stopped, wait, workers
from benchmarks.hits import new_hits
from benchmarks.measure_worker import counted
from benchmarks.queueing import append
from benchmarks.stack import Site, Stack
from benchmarks.weeks import log_position
from tracker.rules import ids

_WARM_UP = 2_000
_TABLES = ("event", "identifier", "profile")
_VISITORS = 100_000


def measure(stack: Stack, report: Report, hits: int, rounds: int, events: int) -> None:
    """One installation that is filled first; the audit balances after each part."""
    with stack.site() as site, workers(site) as pids:
        drain(site, pids, new_hits(_WARM_UP))
        report.add("a hit in the queue", _queued(site, pids, hits))
        fill(site, events)
        stored = _WARM_UP + hits + events
        report.add("a million events", _sizes(site.database, stored))
        log = "a million events' log"
        report.add(f"{log}, right after a checkpoint", _logged(site, pids, hits))
        drain(site, pids, new_hits(warm_up(events)))
        report.add(f"{log}, later", _logged(site, pids, hits))
        stored += 2 * hits + warm_up(events)
        site.check(stored=stored, queued=0)
        visitors = some_visitors(site, _VISITORS)
        _make_one_table(site.database)
        for _ in range(rounds):
            for name, figures in _copies(site, pids, hits, visitors).items():
                report.add(f"COPY into {name}", figures)
        stored += rounds * hits
        site.check(stored=stored, queued=0)
        weeks.measure(site, pids, report, stored, hits)


def _queued(site: Site, pids: Mapping[str, int], hits: int) -> Figures:
    """What the queue takes of memory and disk while no worker reads; they are stored then."""
    with stopped(pids.values()):
        already, before = counted(site), site.redis.info()
        append(site, new_hits(hits))
        after = site.redis.info()
    wait(site, already, hits)
    return {
        f"{name}_bytes": (after[name] - before[name]) / hits
        for name in ("used_memory", "aof_current_size")
    }


def _sizes(connection: psycopg.Connection, events: int) -> Figures:
    """Megabytes on disk for a million events, of each table and index."""
    sizes = {}
    for table in _TABLES:
        sizes[f"{table}_rows_mb"] = _size(connection, table, "pg_table_size")
        indexes = connection.execute(
            "SELECT indexrelid::regclass::text FROM pg_index"
            " WHERE indrelid = %s::regclass ORDER BY indexrelid",
            (table,),
        )
        for (index,) in indexes:
            sizes[f"{index}_mb"] = _size(connection, index, "pg_relation_size")
    return {name: size / events for name, size in {**sizes, "all_mb": sum(sizes.values())}.items()}


def _size(connection: psycopg.Connection, relation: str, function: str) -> float:
    """Bytes of a table or index, with all its partitions where it has any."""
    query = f"""
        SELECT sum({function}(relid))::bigint FROM (
            SELECT relid FROM pg_partition_tree(%(name)s::regclass)
            UNION SELECT %(name)s::regclass) AS parts
    """
    return float(connection.execute(query.encode(), {"name": relation}).fetchall()[0][0])


def _logged(site: Site, pids: Mapping[str, int], hits: int) -> Figures:
    """What the worker has PostgreSQL write into its log (WAL)."""
    before = log_position(site.database)
    drain(site, pids, new_hits(hits))
    return {"wal_mb": (log_position(site.database) - before) / hits}


def _make_one_table(connection: psycopg.Connection) -> None:
    for statement in (
        "CREATE TABLE one_table (LIKE event INCLUDING ALL)",
        "INSERT INTO one_table SELECT * FROM event",
        "VACUUM (ANALYZE) one_table",
    ):
        connection.execute(statement)


def _copies(
    site: Site, pids: Mapping[str, int], hits: int, visitors: Sequence[bytes]
) -> dict[str, Figures]:
    """COPY of the same rows, of visitors who have a profile, into weeks and into one table."""
    since = ids.first_of(time.time_ns() // 1_000_000)
    drain(site, pids, new_hits(hits, visitors))
    blocks = read_out(site.database, since)
    take_out(site.database, since)
    return {
        "weeks": copy_in(site, "event", blocks, hits),
        "one table": copy_in(site, "one_table", blocks, hits),
    }
