"""Which errors people can mend themselves, in words."""

import os

import psycopg
import redis

from tracker.actions.refusals import RefusedError
from tracker.cli.store import UsageError
from tracker.embedded import EmbeddedError
from tracker.settings import SettingsError
from tracker.snippets.tracking import TrackingError
from tracker.stores.cluster_map import ClusterAwayError
from tracker.stores.definitions import AmbiguousWordError, NameTakenError
from tracker.stores.queue_epochs import ForeignQueueError
from tracker.stores.sections import NoSuchSectionError

MENDABLE = (
    SettingsError,
    EmbeddedError,
    UsageError,
    RefusedError,
    AmbiguousWordError,
    NameTakenError,
    TrackingError,
    NoSuchSectionError,
    ForeignQueueError,
)


def explain(error: BaseException) -> str | None:
    """What to tell people in place of a traceback; None for a mistake of ours."""
    error = getattr(error, "orig", None) or error  # what SQLAlchemy wraps, when it migrates
    if isinstance(error, MENDABLE):
        return str(error)
    if isinstance(error, psycopg.errors.UndefinedTable):
        return "The database has no schema yet, or an older one.\nRun: pintag migrate"
    if isinstance(error, psycopg.OperationalError):
        return _unreachable("PostgreSQL", "DATABASE_URL", error)
    if isinstance(error, ClusterAwayError):
        return _unreachable("The hit queue", "PINTAG_QUEUE_URL", error)
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        elsewhere = ", or PINTAG_QUEUE_URL," if os.environ.get("PINTAG_QUEUE_URL") else ""
        return _unreachable("Redis", f"REDIS_URL{elsewhere}", error)
    return None


def _unreachable(server: str, setting: str, error: BaseException) -> str:
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return f"{server} can't be reached: {reason[0]}\nIs `pintag up` running? Is {setting} right?"
