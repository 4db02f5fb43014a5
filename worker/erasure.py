"""Erasure: a profile is deleted with every trace of it. Runs as an RQ job.

After the one moment at which its identifiers go out of use, what remains is looked for and deleted
in bounded batches. A job that was killed is run again, by the next jobs process, and finishes: what
was deleted is gone, and whose traces remain is in the database until none does.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from tracker.rules.keyspaces import Identity
from tracker.rules.mentions import mentioned, without
from tracker.settings import load
from tracker.stores import database, erasures, hit_queue, job_locks, kept_hits, sections, trials
from tracker.stores.erasures import Erasure
from tracker.vault import Vault
from worker import progress

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Advance = Callable[[int], None]


def erase(id_: str) -> dict[str, int]:
    """Run an erasure that was asked for, or go on with it; returns how much was deleted.

    Those of a section are run one at a time: an event's claims may name several people.
    """
    settings = load()
    vault = Vault(settings)
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        erasure = erasures.get(connection, id_)
        if erasure is None:
            return {}
        job_locks.be_alone(connection, f"erasures of {erasure.section_id}")
        run(connection, vault, erasure, datetime.now(UTC))
        trials.forget(client)  # the last of those that were judged before it began is there by now
        finished = erasures.get(connection, id_)
        return finished.erased if finished else {}


def run(connection: psycopg.Connection, vault: Vault, erasure: Erasure, now: datetime) -> None:
    """Erase what the profile is now, or was when the erasure began."""
    erasures.begin(connection, erasure, lambda one: vault.erased_hash(erasure.section_id, one), now)
    who = erasures.erased_identities(connection, erasure)
    if who:
        _erase_traces(connection, erasure, who)
    erasures.finish(connection, erasure, now)


def _erase_traces(
    connection: psycopg.Connection, erasure: Erasure, who: Mapping[int, Identity]
) -> None:
    total = erasures.volume(connection, erasure, list(who))
    done = 0

    def advance(rows: int) -> None:
        nonlocal done
        done += rows
        progress.show(min(done, total), total)

    prefix = sections.installation(connection).prefix
    advance(0)
    erasures.erase_exports(connection, erasure, list(who))
    _erase_postings(connection, erasure, who)  # before the events, by which they are known
    while found := erasures.erase_events(connection, erasure, list(who)):
        advance(found)
    _erase_hits(connection, erasure, who, prefix, advance)
    _erase_claims(connection, erasure, who, prefix, advance)


def _erase_hits(
    connection: psycopg.Connection,
    erasure: Erasure,
    who: Mapping[int, Identity],
    prefix: str,
    advance: Advance,
) -> None:
    wanted = set(who.values())
    for state in kept_hits.STATES:
        for hits in kept_hits.chunks(connection, state, erasure.section_id):
            theirs = [hit.id for hit in hits if wanted & mentioned(hit.raw, prefix)]
            if theirs:
                erasures.erase_hits(connection, erasure, state, theirs)
            advance(len(hits))


def _erase_claims(
    connection: psycopg.Connection,
    erasure: Erasure,
    who: Mapping[int, Identity],
    prefix: str,
    advance: Advance,
) -> None:
    """Take the claims that name the person out of everybody's events, and nothing else."""
    wanted = set(who.values())
    for events in erasures.claims(connection, erasure.section_id):
        rest = {id_: (claims, without(claims, wanted, prefix)) for id_, claims in events}
        changed = {id_: left for id_, (claims, left) in rest.items() if left != claims}
        if changed:
            erasures.change_claims(connection, erasure, changed)
        advance(len(events))


def _erase_postings(
    connection: psycopg.Connection, erasure: Erasure, who: Mapping[int, Identity]
) -> None:
    """Delete the answers to posts that name the person or one of the events."""
    names = [json.dumps(one.key, ensure_ascii=False) for one in who.values()]
    for answers in erasures.postings(connection, erasure.section_id):
        events = {posting[:2]: set(map(UUID, _UUID.findall(posting[2]))) for posting in answers}
        own = erasures.own_events(connection, list(set().union(*events.values())), list(who))
        theirs = [
            (client, key)
            for client, key, answer in answers
            if own & events[client, key] or any(name in answer for name in names)
        ]
        if theirs:
            erasures.erase_postings(connection, erasure, theirs)
