"""The worker's reference: a bare binary COPY of the very rows that it stored, into their table."""

import time
from collections.abc import Sequence
from uuid import UUID

import psycopg

from benchmarks.costs import CpuMeter
from benchmarks.stack import BenchmarkError, Site

_BLOCK = 1 << 20
_FIRST = UUID(int=0)


def copy_again(site: Site, rows: int, since: UUID = _FIRST) -> dict[str, float]:
    """Take rows out of the event table, and write them as fast as PostgreSQL takes them.

    since: the rows with ids from it on, with others before them; else all there are.
    """
    blocks = read_out(site.database, since)
    take_out(site.database, since)
    return copy_in(site, "event", blocks, rows)


def copy_in(site: Site, table: str, blocks: Sequence[bytes], rows: int) -> dict[str, float]:
    """Write blocks of so many binary rows, with all columns, into a table."""
    with psycopg.connect(site.settings.database_url) as connection:
        meter, start = CpuMeter(site.pids, without=site.own_backend), time.perf_counter()
        cursor = connection.cursor()
        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)".encode()) as copy:
            for block in blocks:
                copy.write(block)
        connection.commit()
        seconds, used = time.perf_counter() - start, meter.used()
    if cursor.rowcount != rows:
        raise BenchmarkError(f"COPY wrote {cursor.rowcount} rows, not {rows}.")
    return {
        "copy_rows_per_second": rows / seconds,
        "copy_postgres_us_per_row": 1e6 * used["postgres"] / rows,
    }


def read_out(connection: psycopg.Connection, since: UUID) -> Sequence[bytes]:
    """All columns of the rows in binary, in large blocks: Python has little to do later."""
    every_column = "COPY (SELECT * FROM event WHERE id >= %s) TO STDOUT (FORMAT binary)"
    with connection.cursor().copy(every_column, (since,)) as copy:
        whole = b"".join(bytes(data) for data in copy)
    return [whole[start : start + _BLOCK] for start in range(0, len(whole), _BLOCK)]


def take_out(connection: psycopg.Connection, since: UUID) -> None:
    """Leave no trace of the rows that COPY would have to work around."""
    if since == _FIRST:
        connection.execute("TRUNCATE event")
        return
    connection.execute("DELETE FROM event WHERE id >= %s", (since,))
    connection.execute("VACUUM event")
