"""What the event table's weeks, its partitions, cost and save."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID

import psycopg

from benchmarks.figures import Figures, Report
from benchmarks.growth.draining import drain
from benchmarks.hits import new_hits
from benchmarks.stack import Site
from tracker.rules.ids import first_of
from tracker.stores import database, event_tables, retention, timelines

WEEKS = (11, 52, 260)
"""Tables: those that there always are, a year's, and five years'."""
_TIMELINES, _CONNECTIONS = 200, 10


def measure(site: Site, pids: Mapping[str, int], report: Report, stored: int, hits: int) -> None:
    """With an installation that has so many events, in five weeks; some of them go."""
    connection = site.database
    report.add("indexes", _indexes(connection))
    report.add("an empty week", _new_week(connection))
    expired = 0
    for row, (events, figures) in _ended(connection).items():
        report.add(row, figures)
        expired += events
    stored -= expired
    site.check(stored=stored, queued=0, expired=expired)
    for number in WEEKS:
        _make(connection, number)
        drained = drain(site, pids, new_hits(hits))
        stored += hits
        site.check(stored=stored, queued=0, expired=expired)
        report.add(f"weeks: {number}", {**_timelines(site), **_costs(drained)})


def log_position(connection: psycopg.Connection) -> int:
    """Bytes that PostgreSQL ever wrote into its log (WAL)."""
    query = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
    return int(connection.execute(query).fetchall()[0][0])


def _indexes(connection: psycopg.Connection) -> Figures:
    """How large the indexes are that hits go into, and those of all weeks."""
    sizes = {name: _indexes_size(connection, name) for name in event_tables.ends(connection)}
    return {
        "this_week_mb": sizes[_weeks_from(connection, datetime.now(UTC))[0]] / 1e6,
        "all_weeks_mb": sum(sizes.values()) / 1e6,
    }


def _indexes_size(connection: psycopg.Connection, name: str) -> int:
    rows = connection.execute("SELECT pg_indexes_size(%s::regclass)", (name,))
    return int(rows.fetchall()[0][0])


def _weeks_from(connection: psycopg.Connection, time: datetime) -> list[str]:
    """The tables of the week that has this time, and of later ones, in order of time."""
    ends = event_tables.ends(connection)
    return sorted((name for name, end in ends.items() if end > time), key=ends.__getitem__)


def _ended(connection: psycopg.Connection) -> dict[str, tuple[int, Figures]]:
    """The two oldest weeks that have events are taken away, one in each way."""
    ends = event_tables.ends(connection)
    oldest = sorted(ends, key=ends.__getitem__)
    full = [name for name in oldest if _has_events(connection, name)]
    return {
        "a week dropped": _ending(connection, lambda: _drop(connection, full[0], ends[full[0]])),
        "a week deleted": _ending(connection, lambda: _delete(connection, full[1], ends[full[1]])),
    }


def _has_events(connection: psycopg.Connection, name: str) -> bool:
    rows = connection.execute(f"SELECT EXISTS (SELECT FROM {name})".encode())
    return bool(rows.fetchall()[0][0])


def _ending(connection: psycopg.Connection, way: Callable[[], int]) -> tuple[int, Figures]:
    log, start = log_position(connection), time.perf_counter()
    events = way()
    seconds, written = time.perf_counter() - start, log_position(connection) - log
    return events, {"events": events, "seconds": seconds, "wal_mb": written / 1e6}


def _drop(connection: psycopg.Connection, name: str, end: datetime) -> int:
    return retention.drop_week(connection, name, _first(end))


def _delete(connection: psycopg.Connection, name: str, end: datetime) -> int:
    """As for definitions that have a time to live; only after VACUUM is the space free."""
    kept = dict.fromkeys(retention.all_versions(connection), _first(end))
    last: UUID | None = retention.FIRST
    deleted = 0
    while last:
        last, count = retention.expire_window(connection, kept, last)
        deleted += count
    connection.execute(f"VACUUM {name}".encode())
    return deleted


def _first(time: datetime) -> UUID:
    return first_of(int(time.timestamp() * 1000))


def _new_week(connection: psycopg.Connection) -> Figures:
    """What it takes to make one more."""
    start = time.perf_counter()
    [name] = event_tables.ensure(connection, datetime.now(UTC) + timedelta(weeks=1))
    seconds = time.perf_counter() - start
    rows = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (name,))
    return {"making_ms": 1000 * seconds, "bytes": rows.fetchall()[0][0]}


def _make(connection: psycopg.Connection, number: int) -> None:
    """Make empty weeks until there are so many."""
    ahead = datetime.now(UTC)
    while len(event_tables.ends(connection)) < number:
        ahead += timedelta(weeks=1)
        event_tables.ensure(connection, ahead)


def _timelines(site: Site) -> Figures:
    """How long a profile's first page takes: at first in a connection, and later."""
    rows = site.database.execute(
        "SELECT section_id, id FROM identifier ORDER BY random() LIMIT %s", (_TIMELINES,)
    ).fetchall()
    first = []
    for section_id, id_ in rows[:_CONNECTIONS]:
        with database.connect(site.settings.database_url) as connection:
            first.append(_timeline_ms(connection, section_id, id_))
    later = [_timeline_ms(site.database, *row) for row in rows]
    return {"first_timeline_ms": median(first), "timeline_ms": median(later)}


def _timeline_ms(connection: psycopg.Connection, section_id: int, identifier_id: int) -> float:
    start = time.perf_counter()
    timelines.read(connection, section_id, [identifier_id])
    return 1000 * (time.perf_counter() - start)


def _costs(drained: Figures) -> Figures:
    return {name: drained[name] for name in ("worker_us_per_hit", "postgres_us_per_hit")}
