"""Events put straight into the store, with the ledger in balance, at whatever time a test needs."""

import secrets
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from tests.worker.cast import Harbour
from tracker.rules.ids import mint
from tracker.rules.outcomes import Outcome
from tracker.rules.retention import EPOCH
from tracker.rules.states import NO_PARTITION, POSTED, Move
from tracker.stores import batches


def ms_of(time: datetime) -> int:
    return (time - EPOCH) // timedelta(milliseconds=1)


def version_of(harbour: Harbour) -> int:
    return harbour.booking.versions[0].id


def plant(
    harbour: Harbour,
    *times: datetime,
    version_id: int = 0,
    identifier_id: int = 0,
    behind: timedelta = timedelta(),
) -> None:
    """Store an event that was made at each of these times, by a clock that was so far behind."""
    rows = [
        (
            mint(ms_of(time - behind), secrets.token_bytes(10)),
            harbour.booking.section_id,
            identifier_id,
            version_id or version_of(harbour),
            time,
            time,
            behind // timedelta(milliseconds=1) or None,
        )
        for time in times
    ]
    with harbour.db.transaction(), harbour.db.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO event (id, section_id, identifier_id, version_id, event_time, received_at,"
            " clock_ms, data) VALUES (%s, %s, %s, %s, %s, %s, %s, '{}')",
            rows,
        )
        batches.count(harbour.db, Counter({Move(NO_PARTITION, POSTED, Outcome.STORED): len(rows)}))


def left(harbour: Harbour) -> list[datetime]:
    """The times of the events that are still there."""
    return [time for (time,) in harbour.rows("SELECT event_time FROM event ORDER BY 1")]


def every(step: timedelta, since: datetime, count: int) -> Iterable[datetime]:
    return (since + n * step for n in range(count))
