"""The audit as a job: it counts all rows, which takes longer than a page may."""

from typing import Any

from tracker.actions import auditing
from tracker.settings import load
from tracker.stores import database, hit_queue, queues


def run() -> dict[str, Any]:
    """Audit; returns what can't be accounted for, and when Redis lost its data."""
    settings = load()
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
        queues.connect(settings, client) as queue,
    ):
        found = auditing.audit(connection, client, queue)
    return {"problems": found.problems, "losses": found.losses}
