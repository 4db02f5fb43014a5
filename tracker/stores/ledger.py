"""The ledger in PostgreSQL, and what it is checked against."""

from collections import Counter
from datetime import datetime

import msgspec
import psycopg

from tracker.rules.states import KEPT, Move


class PartitionRow(msgspec.Struct, frozen=True):
    """How far a partition is in the database; `earlier` counts hits of epochs that Redis lost."""

    number: int
    last_id: str
    counted: int
    earlier: int


class Loss(msgspec.Struct, frozen=True):
    """Data that the queue lost, noticed in one moment; hits: those that had been read before.

    partitions: those of a cluster; none where it was one server, and all of the queue.
    """

    noticed_at: datetime
    hits: int
    partitions: list[int]


class Books(msgspec.Struct, frozen=True):
    """All that the database says of hits, as of one moment."""

    partitions: list[PartitionRow]
    ledger: Counter[Move]
    rows: dict[str, int]
    losses: list[Loss]


def books(connection: psycopg.Connection) -> Books:
    """Read everything in one snapshot. Counts every stored row: seconds at ten million."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Before the snapshot: a week's table that is dropped after it would be missing in it.
        connection.execute("LOCK TABLE event IN ACCESS SHARE MODE")
        partitions = connection.execute(
            "SELECT p.number, p.last_id, p.counted, coalesce(sum(l.counted), 0)::bigint"
            " FROM hit_partition p LEFT JOIN queue_loss l ON l.partition = p.number"
            " GROUP BY p.number ORDER BY p.number"
        ).fetchall()
        moves = connection.execute(
            "SELECT partition, from_state, to_state, reason, hits FROM ledger"
        ).fetchall()
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM held),"
            " (SELECT count(*) FROM quarantine)"
        ).fetchall()[0]
        losses = connection.execute(
            "SELECT noticed_at, sum(counted)::bigint, coalesce(array_agg(partition ORDER BY"
            " partition) FILTER (WHERE position('-' in queue_epoch) > 0), '{}')"
            " FROM queue_loss GROUP BY noticed_at ORDER BY noticed_at"
        ).fetchall()
    return Books(
        [PartitionRow(*row) for row in partitions],
        Counter({Move(*move): hits for *move, hits in moves}),
        dict(zip(KEPT, counts, strict=True)),
        [Loss(*loss) for loss in losses],
    )


def moves(connection: psycopg.Connection) -> Counter[Move]:
    """The whole ledger, all partitions together (as partition 0): a few rows."""
    rows = connection.execute(
        "SELECT 0, from_state, to_state, reason, sum(hits)::bigint FROM ledger GROUP BY 2, 3, 4"
    )
    return Counter({Move(*move): hits for *move, hits in rows})


def last_ids(connection: psycopg.Connection) -> dict[int, str]:
    """The last stream id of each partition."""
    rows = connection.execute("SELECT number, last_id FROM hit_partition ORDER BY number")
    return dict(rows.fetchall())


def position(connection: psycopg.Connection, number: int) -> tuple[str, int]:
    """How far a partition is at this moment: its last stream id, and the hits counted."""
    row = connection.execute(
        "SELECT last_id, counted FROM hit_partition WHERE number = %s", (number,)
    ).fetchall()[0]
    return row[0], row[1]
