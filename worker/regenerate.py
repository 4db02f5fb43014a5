"""Bulk regeneration: the snippets of all tracked definitions of a section. Runs as an RQ job.

Killed in the middle it has done some definitions and not others; run again, it does all. With a
rotation, those that were done then get a second new key, and the first one its own grace period.
"""

from datetime import UTC, datetime, timedelta

from tracker.actions import regenerating
from tracker.settings import load
from tracker.stores import database, hit_queue
from worker import progress


def run(section_id: int, grace_days: int | None) -> list[str]:
    """Regenerate them, with new keys unless grace_days is None; returns their slugs."""
    settings = load()
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        return regenerating.regenerate_all(
            connection,
            client,
            section_id,
            now=datetime.now(UTC),
            grace=None if grace_days is None else timedelta(days=grace_days),
            show=progress.show,
        )
