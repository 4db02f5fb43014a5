"""Replay: quarantined hits go through the same steps again. Their ids and times stay.

Runs as an RQ job, which `pintag quarantine replay` and the pages enqueue; a dry run, too.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import Connection

from tracker.rules.hits import QueuedHit, Sender
from tracker.rules.outcomes import Outcome
from tracker.rules.states import NO_PARTITION, Ended, Move, day_of
from tracker.settings import load
from tracker.stores import (
    batches,
    catalog,
    database,
    event_locks,
    events,
    held,
    hit_counts,
    quarantine,
)
from tracker.stores.catalog import PinnedVersion
from tracker.stores.quarantine import QuarantinedHit
from worker import progress
from worker.batch import event_row, held_row, is_away
from worker.context import Context
from worker.steps import STEPS, Step, Verdict, Work, find_snippet, refuse, run

BATCH = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Tried = tuple[QuarantinedHit, Work]
"""A hit, and what came of it."""
Write = Callable[[Connection, list[Work]], list[Outcome]]


def replay(
    ids: Sequence[int], dry_run: bool = False, version_id: int | None = None
) -> dict[str, int]:
    """Replay these hits; returns how many became what: an outcome, with its reason if it has one.

    With `dry_run` everything is done and taken back. A hit that is rejected again stays in
    quarantine with its new errors; one that is dropped leaves it, counted in the ledger. With a
    version, which whoever enqueued this has seen to be a later one of their own event, they are
    judged by that, and what is stored is of that.
    """
    counts: Counter[str] = Counter()
    settings = load()
    with database.connect(settings.database_url) as connection:
        context = Context(settings)
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            counts += replay_batch(connection, context, some, dry_run, version_id)
            progress.show(min(start + BATCH, len(ids)), len(ids))
    return dict(counts)


def replay_batch(
    connection: Connection,
    context: Context,
    ids: Sequence[int],
    dry_run: bool,
    version_id: int | None = None,
) -> Counter[str]:
    """Replay a batch in one transaction; a hit that PostgreSQL refuses stays, as our bug."""
    # A worker may make identifiers that this joins, and the other way round.
    return database.again(
        lambda: _replay_batch(connection, context, ids, dry_run, version_id), *database.CONFLICTS
    )


def _replay_batch(
    connection: Connection,
    context: Context,
    ids: Sequence[int],
    dry_run: bool,
    version_id: int | None,
) -> Counter[str]:
    with connection.transaction(force_rollback=dry_run):
        event_locks.share_events(connection)
        context.now = datetime.now(UTC)
        context.refresh(connection)
        steps = against(catalog.version(connection, version_id)) if version_id else STEPS
        hits = quarantine.lock(connection, ids)
        tried = [(hit, run(_queued(hit), context, steps)) for hit in hits]
        _settle(connection, tried)
        _count(connection, tried)
    return Counter(_name(work) for _, work in tried)


def against(version: PinnedVersion) -> tuple[Step, ...]:
    """All steps, with one that puts a version in the place of the snippet's own."""

    def choose_version(work: Work, context: Context) -> Verdict | None:
        work.pinned = version
        return None

    after = STEPS.index(find_snippet) + 1
    return (*STEPS[:after], choose_version, *STEPS[after:])


def _queued(hit: QuarantinedHit) -> QueuedHit:
    # Not through timestamp(), a float: times must stay to the millisecond.
    received_ms = (hit.received_at - EPOCH) // timedelta(milliseconds=1)
    sender = Sender(hit.address, hit.agent or "", hit.tag or "", kept=True)
    stream_id = f"{received_ms}-0"
    return QueuedHit(hit.partition, stream_id, hit.snippet_key, hit.sent, hit.raw, None, sender)


def _settle(connection: Connection, tried: Sequence[Tried]) -> None:
    """Write what became of the hits, in an order that another replay has, too.

    Otherwise two could wait for each other: for visitors that both make, say.
    """
    works = [work for _, work in tried]
    storing = {w.pinned.section_id for w in works if w.pinned and w.outcome is Outcome.STORED}
    event_locks.lock_identities(connection, storing)
    _let_go(connection, [w for w in works if w.outcome is Outcome.STORED], _store)
    _let_go(connection, [w for w in works if w.outcome is Outcome.HELD], _hold)
    for hit, work in tried:
        if work.outcome is Outcome.QUARANTINED:
            _keep(connection, hit, work)
    quarantine.remove(connection, [hit.id for hit, work in tried if not _stays(work)])


def _let_go(connection: Connection, works: list[Work], write: Write) -> None:
    """Write rows of the hits; one that PostgreSQL refuses is looked for by halves, and stays."""
    if not works:
        return
    try:
        outcomes = _write(connection, works, write)
    except (psycopg.Error, UnicodeError) as error:
        if is_away(error):
            raise
        if len(works) == 1:
            refuse(works[0], f"It can't be stored: {error}")
        else:
            middle = len(works) // 2
            _let_go(connection, works[:middle], write)
            _let_go(connection, works[middle:], write)
    else:
        for work, outcome in zip(works, outcomes, strict=True):
            work.duplicate = outcome is Outcome.DUPLICATE


def _write(connection: Connection, works: list[Work], write: Write) -> list[Outcome]:
    """Write rows, and again where somebody else has stored one of the events meanwhile."""

    def written() -> list[Outcome]:
        with connection.transaction():
            return write(connection, works)

    return database.again(written, psycopg.errors.UniqueViolation)


def _store(connection: Connection, works: list[Work]) -> list[Outcome]:
    return events.store(connection, [event_row(work) for work in works])


def _hold(connection: Connection, works: list[Work]) -> list[Outcome]:
    """Hold hits, and let the workers that have their partitions know."""
    held.announce(connection)
    return held.add(connection, [held_row(work) for work in works])


def _keep(connection: Connection, hit: QuarantinedHit, work: Work) -> None:
    """Leave the hit in quarantine with its new errors, unless it is there a second time.

    That comes out when a snippet's key, unknown before, is found: then the hit has a section.
    """
    assert work.verdict is not None
    assert work.verdict.reason is not None
    try:
        with connection.transaction():
            quarantine.keep(
                connection, hit.id, work.pinned, work.verdict.reason, work.verdict.errors
            )
    except psycopg.errors.UniqueViolation:
        work.duplicate = True


def _stays(work: Work) -> bool:
    return work.outcome is Outcome.QUARANTINED and not work.duplicate


def _count(connection: Connection, tried: Sequence[Tried]) -> None:
    """Count the moves, for the ledger, and for the charts, which know versions and reasons."""
    moves: Counter[Move] = Counter()
    changes: Counter[Ended] = Counter()
    for hit, work in tried:
        state, reason = _end(work)
        if not _stays(work):
            moves[Move(hit.partition, Outcome.QUARANTINED, state, reason)] += 1
        version_id = work.pinned.version_id if work.pinned else hit.version_id
        day = day_of(work.received_ms)
        # In rows of no partition: workers must not wait until a replay is committed.
        was = Ended(NO_PARTITION, hit.version_id, day, Outcome.QUARANTINED, hit.reason)
        changes[was] -= 1
        changes[Ended(NO_PARTITION, version_id, day, state, reason)] += 1
    batches.count(connection, moves)
    hit_counts.add(connection, changes)


def _end(work: Work) -> tuple[Outcome, str]:
    """What became of a hit, with its reason or ""."""
    if work.duplicate:
        return Outcome.DUPLICATE, ""
    reason = work.verdict.reason if work.verdict else None
    return work.outcome, reason or ""


def _name(work: Work) -> str:
    state, reason = _end(work)
    return f"{state} ({reason})" if reason else str(state)
