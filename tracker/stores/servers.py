"""PostgreSQL and Redis themselves: versions, memory, sizes. Nothing here counts rows."""

from typing import Any

import msgspec
import psycopg
import redis

BUSY_MS = 500
"""The sizes of tables that are locked for longer are left out."""


class RedisServer(msgspec.Struct, frozen=True):
    """A Redis or Valkey; memory: what counts towards its limit, 0: none.

    persists: it keeps what it is given on disk.
    """

    name: str
    version: str
    memory: int
    limit: int
    policy: str
    persists: bool
    writes: bool

    @property
    def share(self) -> float:
        """How much of its limit is in use."""
        return self.memory / self.limit if self.limit else 0.0


class Table(msgspec.Struct, frozen=True):
    """A table with its indexes; rows as the planner estimates them, -1: it does not know yet."""

    name: str
    bytes: int
    rows: int


class Postgres(msgspec.Struct, frozen=True):
    """The database. The weeks are the partitions of `event`, which count in that table, too."""

    version: str
    bytes: int
    tables: list[Table]
    weeks: list[Table]


def of_redis(client: redis.Redis) -> RedisServer:
    """Raises redis.RedisError."""
    info: Any = client.info()
    name = "Valkey" if "valkey_version" in info else "Redis"
    return RedisServer(
        name,
        str(info.get("valkey_version") or info["redis_version"]),
        int(info["used_memory"]) - int(info.get("mem_not_counted_for_evict", 0)),
        int(info.get("maxmemory", 0)),
        str(info.get("maxmemory_policy", "")),
        bool(info.get("aof_enabled", 1)),
        info.get("aof_last_write_status", "ok") == "ok",
    )


def of_postgresql(connection: psycopg.Connection) -> Postgres:
    """Raises psycopg.Error."""
    number = connection.info.server_version
    size = connection.execute("SELECT pg_database_size(current_database())").fetchall()[0][0]
    tables, weeks = _tables(connection)
    return Postgres(f"{number // 10_000}.{number % 10_000}", size, tables, weeks)


def _tables(connection: psycopg.Connection) -> tuple[list[Table], list[Table]]:
    """All tables but for partitions, and the partitions; the largest and the newest first."""
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = {BUSY_MS}".encode())
            connection.execute(f"SET LOCAL statement_timeout = {4 * BUSY_MS}".encode())
            rows = connection.execute(
                "SELECT relname, pg_total_relation_size(c.oid), reltuples::bigint, relispartition"
                " FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).fetchall()
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
        return [], []
    found = [Table(name, size or 0, count) for name, size, count, part in rows if not part]
    weeks = [Table(name, size or 0, count) for name, size, count, part in rows if part]
    if weeks:
        known = [week.rows for week in weeks if week.rows >= 0]
        found.append(Table("event", sum(week.bytes for week in weeks), sum(known) if known else -1))
    found.sort(key=lambda table: (-table.bytes, table.name))
    return found, sorted(weeks, key=lambda table: table.name, reverse=True)
