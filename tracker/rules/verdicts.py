"""Whether hits are taken and stored, in one sentence, and what to do where they are not."""

from typing import Literal

import msgspec

LATE_SECONDS = 60
"""A hit that waits longer than this waits for something that is wrong, or for too few workers."""
NEARLY_FULL, FULL = 0.8, 0.995
"""Of Redis's memory. What is just below its limit is refused as soon as a hit is larger."""


class Signs(msgspec.Struct, frozen=True):
    """What the verdict goes by; collectors, workers and jobs: processes that reported lately.

    queue_away: the hit queue is elsewhere, and away; queue_there: it is elsewhere, and there though
    Redis is away; stopped: partitions on nodes that are away;
    silent: workers that reported within the hour, but not now; ready: collectors that reach Redis
    and have a key table; refusing: those that find the queue too full; memory: the share of Redis's
    limit in use; waiting: seconds since the oldest queued hit came, None for none; schema: the
    database has this release's.
    """

    redis_away: bool = False
    database_away: bool = False
    queue_away: bool = False
    queue_there: bool = False
    stopped: int = 0
    memory: float = 0.0
    writes: bool = True
    persists: bool = True
    foreign: bool = False
    schema: bool = True
    collectors: int = 1
    ready: int = 1
    refusing: int = 0
    workers: int = 1
    silent: int = 0
    jobs: int = 1
    queued: int = 0
    waiting: float | None = None


class Verdict(msgspec.Struct, frozen=True):
    """The sentence, and what to do; `problem`: hits are refused, or wait for more than a moment."""

    level: Literal["ok", "warning", "problem"]
    sentence: str
    remedy: str = ""


def verdict(signs: Signs) -> Verdict:
    """The worst that is to be said; what is taken comes before what is stored."""
    return _taking(signs) or _storing(signs) or _beside(signs)


def sink(signs: Signs) -> Verdict | None:
    """Why what is accepted does not get stored; None where it does."""
    if signs.redis_away or signs.queue_away or signs.stopped:
        return _taking(signs)
    if not signs.workers or _is_late(signs):
        return _storing(signs) or _taking(signs) or verdict(signs)
    return None


def _problem(sentence: str, remedy: str) -> Verdict:
    return Verdict("problem", sentence, remedy)


def _taking(signs: Signs) -> Verdict | None:
    if signs.redis_away and signs.queue_there:
        return _problem(
            "Hits are taken only where collectors know their keys: Redis is away.",
            "Start it. What is taken is stored; senders of what is refused keep it meanwhile.",
        )
    if signs.redis_away:
        return _problem(
            "Hits are refused: Redis is away.",
            "Start it. Until then senders keep their hits and send them again.",
        )
    if signs.queue_away:
        return _problem(
            "Hits are refused: the hit queue is away.",
            "Start its server, or mend PINTAG_QUEUE_URL. Senders keep their hits meanwhile.",
        )
    if signs.stopped:
        return _problem(
            f"Hits of {signs.stopped} partitions are refused: a node of the hit queue is away.",
            "Start it. Until then their senders keep them; all other hits are taken and stored.",
        )
    if signs.memory >= FULL:
        return _problem(
            "Redis refuses hits: its memory is full.",
            "Raise its maxmemory, or see why no worker empties the queue.",
        )
    if signs.refusing:
        return _problem(
            "Hits are refused: too many wait in the hit queue.",
            "See why no worker empties it. Or raise Redis's maxmemory, or PINTAG_QUEUE_…: the "
            "documentation says at which marks collectors refuse.",
        )
    if not signs.writes:
        return _problem(
            "Redis refuses hits: it can't write to its disk.",
            "Make room on the disk of Redis; its log says what failed.",
        )
    if not signs.collectors:
        return _problem(
            "Hits are not taken: no collector runs.", "Start one: pintag collector, or pintag up."
        )
    if not signs.ready:
        return _problem(
            "Hits are refused: no collector has snippet keys.",
            "A worker publishes them: start one. If one runs, the errors below say what is wrong.",
        )
    return None


def _storing(signs: Signs) -> Verdict | None:
    if signs.database_away:
        return _problem(
            "Hits are taken, and wait: PostgreSQL is away.",
            "Start it. What waits is stored once it is back; Redis's memory bounds how much can.",
        )
    if not signs.schema:
        return _problem(
            "Hits may wait: the database's schema is not this release's.", "Run pintag migrate."
        )
    if signs.foreign:
        return _problem(
            "Hits wait: this Redis belongs to another database.",
            "Mend REDIS_URL, PINTAG_QUEUE_URL or DATABASE_URL; pintag doctor says more.",
        )
    if not signs.workers and signs.silent:
        return _problem(
            "Hits wait: the worker is silent. It hangs, or was killed.",
            "End it if it is still there, and start it again: python -m worker, or pintag up.",
        )
    if not signs.workers:
        return _problem(
            "Hits wait: no worker runs." if signs.queued else "No worker runs: hits would wait.",
            "Start one: python -m worker, or pintag up.",
        )
    if _is_late(signs):
        return _problem(
            "Hits wait for more than a minute: the workers are behind, or stuck.",
            "Start more workers, on other cores. If none of them commits, see their errors.",
        )
    return None


def _beside(signs: Signs) -> Verdict:
    """Hits are taken and stored; not all may be well."""
    if not signs.persists:
        return Verdict(
            "warning",
            "Hits are taken and stored, but a crash of Redis could lose some.",
            "Set appendonly yes in Redis; pintag doctor checks its durability.",
        )
    if signs.memory >= NEARLY_FULL:
        return Verdict(
            "warning",
            "Hits are taken and stored, but Redis's memory is nearly full.",
            "Raise its maxmemory before it refuses hits.",
        )
    if not signs.jobs:
        return Verdict(
            "warning",
            "Hits are taken and stored. No jobs process runs: replays, exports, erasures wait.",
            "Start one: python -m worker.jobs.",
        )
    return Verdict("ok", "Hits are taken and stored.")


def _is_late(signs: Signs) -> bool:
    return signs.waiting is not None and signs.waiting > LATE_SECONDS
