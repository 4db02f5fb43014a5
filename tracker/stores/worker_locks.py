"""How workers share the partitions, in PostgreSQL: advisory locks, and the tries that they made."""

from collections.abc import Sequence

import psycopg

_PARTITION = 7_361
_PRESENCE = 7_362


def be_present(connection: psycopg.Connection) -> None:
    """Count as a worker until `leave`, or the connection's end."""
    connection.execute("SELECT pg_advisory_lock_shared(%s, 0)", (_PRESENCE,))


def leave(connection: psycopg.Connection) -> None:
    """Count no longer: PostgreSQL may need a moment until it hears of a connection's end."""
    connection.execute("SELECT pg_advisory_unlock_shared(%s, 0)", (_PRESENCE,))


def present(connection: psycopg.Connection) -> int:
    """How many workers there are, this one included."""
    return _number(
        connection,
        "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND classid = %s AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())",
        _PRESENCE,
    )


def numbers(connection: psycopg.Connection) -> list[int]:
    """The numbers of all partitions."""
    rows = connection.execute("SELECT number FROM hit_partition ORDER BY number")
    return [number for (number,) in rows]


def try_lock(connection: psycopg.Connection, number: int) -> bool:
    """Take a partition's lock if it is free."""
    return bool(_number(connection, "SELECT pg_try_advisory_lock(%s, %s)::int", _PARTITION, number))


def unlock(connection: psycopg.Connection, number: int) -> None:
    """Give a partition's lock back."""
    connection.execute("SELECT pg_advisory_unlock(%s, %s)", (_PARTITION, number))


def begin(connection: psycopg.Connection, number: int) -> tuple[str, int, str | None]:
    """Start on a partition: its last stream id, the tries since it last moved, and the suspect."""
    row = connection.execute(
        "SELECT last_id, tries, suspect_id FROM hit_partition WHERE number = %s", (number,)
    ).fetchall()[0]
    return row[0], row[1], row[2]


def note_tries(connection: psycopg.Connection, numbers: Sequence[int]) -> None:
    """Note that a worker runs hits of these. If it is killed, they stay; progress clears them."""
    connection.execute(
        "UPDATE hit_partition SET tries = tries + 1 WHERE number = ANY(%s)", (list(numbers),)
    )


def suspect(connection: psycopg.Connection, number: int, last_id: str, mark: str) -> bool:
    """Note the hit that is run alone next; False where another worker moved the partition on."""
    noted = connection.execute(
        "UPDATE hit_partition SET suspect_id = %s WHERE number = %s AND last_id = %s",
        (mark, number, last_id),
    )
    return noted.rowcount == 1


def clear_tries(connection: psycopg.Connection, number: int) -> None:
    """Forget the tries: the worker that has the partition is alive and well."""
    connection.execute(
        "UPDATE hit_partition SET tries = 0, suspect_id = NULL WHERE number = %s", (number,)
    )


def _number(connection: psycopg.Connection, query: str, *values: int) -> int:
    return int(connection.execute(query.encode(), values).fetchall()[0][0])
