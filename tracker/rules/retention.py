"""Retention: which events are too old to be kept.

An event's age is by the time in its id, corrected where the sender's clock was wrong.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tracker.rules.ids import first_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
POSTING_DAYS = 30
"""Days for which the answer to a post with an Idempotency-Key is known."""
EXPORT_HOURS = 24
"""Hours for which an export can be fetched."""
FORGOTTEN_DAYS = 30
"""Days for which it is known that there was an export."""


def oldest_kept(now: datetime, days: int) -> datetime:
    """What is older than this has lived for more than so many days; the year 1970 at the least."""
    try:
        return max(now - timedelta(days=days), EPOCH)
    except OverflowError:
        return EPOCH


def first_kept(now: datetime, days: int) -> UUID:
    """The first id that is kept; one of exactly so many days ago still is."""
    # Not through timestamp(), a float: the bound must hold to the millisecond.
    return first_of((oldest_kept(now, days) - EPOCH) // timedelta(milliseconds=1))


def limits(ttl_days: Mapping[int, int], now: datetime) -> dict[int, UUID]:
    """For each version that has a time to live in days, the first id that is kept."""
    return {version_id: first_kept(now, days) for version_id, days in ttl_days.items()}
