"""The audit as a job: it counts all rows, which takes longer than a page may."""

from typing import Any

from tracker.actions import auditing
from tracker.settings import load
from tracker.stores import database, hit_queue


def run() -> dict[str, Any]:
    """Audit; returns what can't be accounted for, and when Redis lost its data."""
    settings = load()
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        found = auditing.audit(connection, client)
    return {"problems": found.problems, "losses": found.losses}
