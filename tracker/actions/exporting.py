"""Asking for an export of a profile: it is written down, and a job makes it."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import psycopg
import redis
from rq.job import Job

from tracker.actions import minting
from tracker.actions.refusals import RefusedError
from tracker.rules.keyspaces import Identity
from tracker.stores import exports, jobs, profiles

MOST_WAITING = 10
"""Exports of one client that wait at once: each reads all of a person, and is kept for a day."""


class TooManyExportsError(RefusedError):
    """Enough exports of this client wait already."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_WAITING} exports of this client wait already: fetch those that are ready, and"
            " ask again once fewer wait."
        )


class Asked(NamedTuple):
    """An export that was asked for, and the job that makes it."""

    id: str
    job: Job


def ask(
    connection: psycopg.Connection,
    client: redis.Redis,
    section_id: int,
    identity: Identity,
    now: datetime,
    client_id: int | None = None,
    note: Callable[[str], None] = lambda _id: None,
) -> Asked | None:
    """Have a profile exported, as far as an API client may see it.

    Without a client, everything is exported. None where there is no profile. `note` is told the
    export's id, in the transaction that writes it down. Raises TooManyExportsError, and
    redis.RedisError, after which there is no export.
    """
    with connection.transaction():
        id_ = write_down(connection, section_id, identity, now, client_id)
        if id_:
            note(id_)
    if id_ is None:
        return None
    try:
        return Asked(id_, enqueue(client, id_))
    except redis.RedisError:
        exports.end(connection, id_)  # nobody is told its id: none shall wait for it
        raise


def write_down(
    connection: psycopg.Connection,
    section_id: int,
    identity: Identity,
    now: datetime,
    client_id: int | None = None,
) -> str | None:
    """Write down that a profile is to be exported; `enqueue` it once that is committed.

    Raises TooManyExportsError.
    """
    profile = profiles.find(connection, section_id, *identity)
    if profile is None:
        return None
    if client_id is not None and exports.waiting(connection, client_id, now) >= MOST_WAITING:
        raise TooManyExportsError
    id_ = minting.export_id()
    exports.ask(connection, id_, section_id, client_id, profile.id_of(identity), now)
    return id_


def enqueue(client: redis.Redis, id_: str) -> Job:
    """Have an export made, for the first time or again."""
    return jobs.enqueue_again(client, jobs.EXPORT, id_, job_id=f"export-{id_}")
