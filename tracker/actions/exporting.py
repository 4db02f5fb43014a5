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
"""Exports of one client, or of one account by pages, that wait at once: each reads all of a person.
A command waits for its export, and so is its own limit.
"""


class TooManyExportsError(RefusedError):
    """Enough exports of this client, or this account, wait already."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_WAITING} of your exports wait already: ask again once fewer of them do."
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
    account_id: int | None = None,
) -> str | None:
    """Write down that a profile is to be exported; `enqueue` it once that is committed.

    client_id, account_id: which of them asks, if one of them does. Raises TooManyExportsError.
    """
    profile = profiles.find(connection, section_id, *identity)
    if profile is None:
        return None
    asker = exports.Asker(client_id, account_id)
    if exports.waiting(connection, asker, now) >= MOST_WAITING:
        raise TooManyExportsError
    id_ = minting.export_id()
    exports.ask(connection, id_, section_id, asker, profile.id_of(identity), now)
    return id_


def enqueue(client: redis.Redis, id_: str) -> Job:
    """Have an export made, for the first time or again."""
    return jobs.enqueue_again(client, jobs.EXPORT, id_, job_id=f"export-{id_}")
