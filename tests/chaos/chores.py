"""The rare long jobs, asked for all the while: whatever strikes the installation strikes them, too.

Replays of what the first version of an event refused and the second takes, erasures of visitors of
whom hits still come, and retention.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import psycopg
import redis
from rq.job import Job, JobStatus

from tests.chaos.ledger import Ledger
from tests.chaos.load import forgotten
from tracker.actions import erasing, replaying
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.settings import Settings
from tracker.stores import database, definitions, erasures, hit_queue, jobs, quarantine, sections

SECTION, EVENT = "demo", "booking"
SECOND = 2
"""The version of the event that takes all hits that had an id of their time."""
AWAY = (psycopg.OperationalError, redis.RedisError)


async def run(settings: Settings, ledger: Ledger, dice: random.Random) -> None:
    """Ask for everything every few seconds, until it is cancelled."""
    while True:
        await asyncio.sleep(dice.uniform(1, 4))
        with suppress(*AWAY):
            await asyncio.to_thread(ask, settings, ledger)


def ask(settings: Settings, ledger: Ledger) -> list[Job]:
    """Have everything done that there is to do; raises what is in AWAY."""
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        ledger.forgotten += 1
        asked = [
            _replay(connection, client),
            _erase(connection, client, ledger.forgotten - 1),
            jobs.enqueue(client, jobs.RETENTION),
        ]
        return [job for job in asked if job is not None]


def finish(settings: Settings, ledger: Ledger, patience: float) -> None:
    """Have everything done that is left, and wait for it. Raises TimeoutError."""
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        for number in range(ledger.forgotten + 1):
            _erase(connection, client, number)
        _until(lambda: not erasures.unfinished(connection), "visitors are erased", patience)
        for job in (_replay(connection, client), jobs.enqueue(client, jobs.RETENTION)):
            if job is not None:
                _until(lambda job=job: _is_done(job), f"{job.func_name} ends", patience)  # type: ignore[misc]


def _replay(connection: psycopg.Connection, client: redis.Redis) -> Job | None:
    event = definitions.find(connection, sections.choose(connection, SECTION).id, EVENT)
    assert event is not None
    chosen = quarantine.matching(connection, [], None, event.id)
    if not chosen:
        return None
    version = replaying.choose(connection, chosen, SECOND, datetime.now(UTC))
    return replaying.replay(client, chosen, dry_run=False, version=version)


def _erase(connection: psycopg.Connection, client: redis.Redis, number: int) -> Job | None:
    section = sections.choose(connection, SECTION)
    visitor = Identity(Keyspace.WEB, forgotten(number))
    asked = erasing.ask(connection, client, section.id, visitor, datetime.now(UTC))
    return asked and asked.job


def _is_done(job: Job) -> bool:
    status = job.get_status(refresh=True)
    assert status is not JobStatus.FAILED, job.exc_info
    return status is JobStatus.FINISHED


def _until(condition: Callable[[], bool], what: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {patience:.0f} s: {what}")
        time.sleep(0.05)
