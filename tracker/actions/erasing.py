"""Asking for the erasure of a profile: it is written down, and a job does it."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import psycopg
import redis
from rq.job import Job

from tracker.actions import minting
from tracker.rules.keyspaces import Identity
from tracker.stores import erasures, jobs, profiles


class Asked(NamedTuple):
    """An erasure that was asked for, and the job that does it."""

    id: str
    job: Job


def ask(
    connection: psycopg.Connection,
    client: redis.Redis,
    section_id: int,
    identity: Identity,
    now: datetime,
    note: Callable[[str], None] = lambda _id: None,
) -> Asked | None:
    """Have a profile erased, with every trace; None without a profile.

    What the profile is when the job begins is erased. `note` is told the erasure's id, in the
    transaction that writes it down.
    """
    with connection.transaction():
        id_ = write_down(connection, section_id, identity, now)
        if id_:
            note(id_)
    # If we end here, or Redis is away, the next jobs process finds it in the database.
    return Asked(id_, enqueue(client, id_)) if id_ else None


def write_down(
    connection: psycopg.Connection, section_id: int, identity: Identity, now: datetime
) -> str | None:
    """Write down that a profile is to be erased; `enqueue` it once that is committed."""
    profile = profiles.find(connection, section_id, *identity)
    if profile is None:
        return None
    id_ = minting.erasure_id()
    erasures.ask(connection, id_, section_id, profile.id_of(identity), now)
    return id_


def enqueue(client: redis.Redis, id_: str) -> Job:
    """Have an erasure run, for the first time or again."""
    return jobs.enqueue_again(client, jobs.ERASURE, id_, job_id=f"erasure-{id_}")
