"""Retention: events that lived longer than they may are deleted, and other things with an end.

Runs as an RQ job, once a day and at `pintag retention run`. Killed in the middle it does no harm:
every transaction is whole in itself, and the next run goes on. It also has unfinished erasures and
exports run again, which Redis may have lost.
"""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import structlog

from tracker.rules.retention import first_kept, limits, oldest_kept
from tracker.settings import load
from tracker.stores import database, hit_counts, retention
from worker import progress
from worker.resuming import resume

TRIES, PAUSE_SECONDS = 20, 0.5
Show = Callable[[int, int], None]

log = structlog.get_logger("retention")


def run() -> dict[str, int]:
    """Delete what is too old by now; returns how many of what were deleted."""
    settings = load()
    resume(settings)
    with database.connect(settings.database_url) as connection:
        return dict(expire(connection, datetime.now(UTC), settings.max_age_days, progress.show))


def expire(
    connection: psycopg.Connection, now: datetime, max_age_days: int, show: Show
) -> Counter[str]:
    """Delete what is too old at a time; max_age_days 0: only what has a time to live of its own.

    Returns how many events, weeks, quarantined hits, answers to posts and exports were deleted.
    """
    deleted: Counter[str] = Counter()
    deleted["events"] += _expire_corrected(connection, now, max_age_days)
    if max_age_days:
        deleted += _expire_by_age(connection, now, max_age_days)
    deleted["events"] += _expire_by_definition(connection, now, show)
    deleted["answers to posts"] += _all(lambda: retention.forget_postings(connection, now))
    deleted["exports"] += retention.forget_exports(connection, now)
    hit_counts.fold(connection, now.date())
    return +deleted


def _expire_corrected(connection: psycopg.Connection, now: datetime, max_age_days: int) -> int:
    """Events of senders whose clocks were wrong, by either limit: their ids say another age."""
    kept = limits(retention.times_to_live(connection), now)
    if max_age_days:
        first = first_kept(now, max_age_days)
        kept = {id_: max(first, kept.get(id_, first)) for id_ in retention.all_versions(connection)}
    return _all(lambda: retention.expire_corrected(connection, kept)) if kept else 0


def _expire_by_age(connection: psycopg.Connection, now: datetime, days: int) -> Counter[str]:
    oldest, first = oldest_kept(now, days), first_kept(now, days)
    deleted: Counter[str] = Counter()
    for name in retention.old_weeks(connection, oldest):
        events = _drop(connection, name, first)
        if events is not None:
            deleted += Counter({"weeks": 1, "events": events})
    deleted["events"] += _all(lambda: retention.expire_others(connection, first))
    deleted["quarantined"] += _all(lambda: retention.expire_quarantined(connection, oldest))
    return deleted


def _drop(connection: psycopg.Connection, name: str, first: UUID) -> int | None:
    """Drop a week's table, waiting for a moment at which nobody uses it; None: there was none."""
    for _ in range(TRIES):
        try:
            return retention.drop_week(connection, name, first)
        except retention.BusyTableError:
            time.sleep(PAUSE_SECONDS)
    log.warning("busy_table", table=name, meaning="it is dropped by the next run")
    return None


def _expire_by_definition(connection: psycopg.Connection, now: datetime, show: Show) -> int:
    """One pass over all events that are old enough for the shortest time to live."""
    kept = limits(retention.times_to_live(connection), now)
    if not kept:
        return 0
    deleted = looked_at = 0
    total = retention.older_events(connection, max(kept.values()))
    last = retention.FIRST
    while True:
        show(min(looked_at, total), total)
        until, count = retention.expire_window(connection, kept, last)
        deleted += count
        if until is None:
            show(total, total)
            return deleted
        last = until
        looked_at += retention.BATCH


def _all(batch: Callable[[], int]) -> int:
    """Delete batch by batch, until there is nothing left to delete."""
    deleted = 0
    while count := batch():
        deleted += count
    return deleted
