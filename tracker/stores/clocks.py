"""What is kept of senders' clocks, in PostgreSQL: by how much an identifier's is corrected."""

from collections.abc import Iterable, Mapping

import msgspec
import psycopg

from tracker.rules.joining import Name

_NAMED = (
    "jsonb_to_recordset(%s::jsonb) AS w(section_id int, keyspace text, key text, ms bigint)"
    " JOIN identifier i ON i.section_id = w.section_id AND i.keyspace = w.keyspace"
    " AND i.key = w.key"
)


def read(connection: psycopg.Connection, names: Iterable[Name]) -> dict[Name, int | None]:
    """By how many ms the clocks of these identifiers are corrected; None: nothing is known."""
    wanted = [name._asdict() for name in sorted(names)]
    rows = connection.execute(
        f"SELECT i.section_id, i.keyspace, i.key, i.clock_ms FROM {_NAMED}".encode(),  # noqa: S608
        (_json(wanted),),
    )
    return {Name(*name): ms for *name, ms in rows}


def keep(connection: psycopg.Connection, corrections: Mapping[Name, int]) -> None:
    """Keep the corrections of these identifiers, in the caller's transaction.

    Not of one that is being merged at this moment: whoever waits here, with other identifiers
    locked, may be waited for. Its next hit then decides anew.
    """
    rows = [{**name._asdict(), "ms": ms} for name, ms in sorted(corrections.items())]
    connection.execute(
        f"WITH free AS (SELECT i.id, w.ms FROM {_NAMED} FOR NO KEY UPDATE OF i SKIP LOCKED)"  # noqa: S608
        " UPDATE identifier i SET clock_ms = free.ms FROM free WHERE i.id = free.id".encode(),
        (_json(rows),),
    )


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
