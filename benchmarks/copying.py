"""The worker's references: the very rows that it stored, once more into their table by binary COPY.

Once from bytes that are ready, so that PostgreSQL alone has work to do; and once from values, each
of which psycopg puts into PostgreSQL's form: the least that a program in Python does.
"""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.types.json import Jsonb

from benchmarks.costs import CpuMeter
from benchmarks.stack import BenchmarkError, Site

_BLOCK = 1 << 20
_FIRST = UUID(int=0)
_JSONB = 3802  # the type's OID


def copy_again(site: Site, rows: int, since: UUID = _FIRST) -> dict[str, float]:
    """Take rows out of the event table, and write them as fast as PostgreSQL takes them.

    since: the rows with ids from it on, with others before them; else all there are.
    """
    blocks = read_out(site.database, since)
    take_out(site.database, since)
    return copy_in(site, "event", blocks, rows)


def copy_values(site: Site, rows: int) -> dict[str, float]:
    """Take all rows out of the event table, and write them value by value."""
    cursor = site.database.execute("SELECT * FROM event ORDER BY id", binary=True)
    types = [column.type_code for column in cursor.description or ()]
    jsonb = [place for place, type_ in enumerate(types) if type_ == _JSONB]
    read: list[list[Any]] = [list(row) for row in cursor]
    for row in read:
        for place in jsonb:
            row[place] = Jsonb(row[place], dumps=orjson.dumps)
    take_out(site.database, _FIRST)
    with psycopg.connect(site.settings.database_url) as connection:
        start = time.perf_counter()
        cursor = connection.cursor()
        with cursor.copy("COPY event FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(types)
            for row in read:
                copy.write_row(row)
        connection.commit()
        seconds = time.perf_counter() - start
    if cursor.rowcount != rows:
        raise BenchmarkError(f"COPY wrote {cursor.rowcount} rows, not {rows}.")
    return {"psycopg_rows_per_second": rows / seconds}


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
