"""Replay: quarantined hits go through the same steps again. Their ids and times stay.

Runs as an RQ job, which `pintag quarantine replay` enqueues; a dry run, too.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import Connection

from tracker.rules.errors import FieldError
from tracker.rules.hits import QueuedHit, Sender
from tracker.rules.outcomes import Outcome, Reason
from tracker.rules.states import NO_PARTITION, Ended, Move, day_of
from tracker.settings import load
from tracker.stores import batches, database, event_locks, held, hit_counts, quarantine
from tracker.stores.catalog import PinnedVersion
from tracker.stores.quarantine import QuarantinedHit
from worker import progress
from worker.batch import event_row, held_row, is_away
from worker.context import Context
from worker.steps import Work, refuse, run

BATCH = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def replay(ids: Sequence[int], dry_run: bool = False) -> dict[str, int]:
    """Replay these hits; returns how many became what: an outcome, with its reason if it has one.

    With `dry_run` everything is done and taken back. A hit that is rejected again stays in
    quarantine with its new errors; one that is dropped leaves it, counted in the ledger.
    """
    counts: Counter[str] = Counter()
    settings = load()
    with database.connect(settings.database_url) as connection:
        context = Context(settings)
        for start in range(0, len(ids), BATCH):
            counts += replay_batch(connection, context, ids[start : start + BATCH], dry_run)
            progress.show(min(start + BATCH, len(ids)), len(ids))
    return dict(counts)


def replay_batch(
    connection: Connection, context: Context, ids: Sequence[int], dry_run: bool
) -> Counter[str]:
    """Replay a batch in one transaction; a hit that PostgreSQL refuses stays, as our bug."""
    counts: Counter[str] = Counter()
    with connection.transaction(force_rollback=dry_run):
        event_locks.share_events(connection)
        context.now = datetime.now(UTC)
        context.refresh(connection)
        leaving: list[int] = []
        changes: Counter[Ended] = Counter()
        judged = [(hit, run(_queued(hit), context)) for hit in quarantine.lock(connection, ids)]
        _lock_identities(connection, [work for _, work in judged])
        for hit, work in judged:
            moves = _settle(connection, hit, work)
            counts[_name(work, moves)] += 1
            changes.update(_changes(hit, work, moves))
            if moves:
                leaving.append(hit.id)
                batches.count(connection, moves)
        quarantine.remove(connection, leaving)
        hit_counts.add(connection, changes)
    return counts


def _lock_identities(connection: Connection, works: list[Work]) -> None:
    """Take the locks of all hits that may join identifiers before any of them is stored."""
    joining = {w.pinned.section_id for w in works if w.pinned and len(w.identities) > 1}
    event_locks.lock_identities(connection, joining)


def _queued(hit: QuarantinedHit) -> QueuedHit:
    # Not through timestamp(), a float: times must stay to the millisecond.
    received_ms = (hit.received_at - EPOCH) // timedelta(milliseconds=1)
    sender = Sender(hit.address, hit.agent or "", hit.tag or "", kept=True)
    stream_id = f"{received_ms}-0"
    return QueuedHit(hit.partition, stream_id, hit.snippet_key, hit.sent, hit.raw, None, sender)


def _settle(connection: Connection, hit: QuarantinedHit, work: Work) -> Counter[Move]:
    """Write what became of the hit; returns its move, none if it stays."""
    if work.outcome in (Outcome.STORED, Outcome.HELD):
        try:
            with connection.transaction():
                return _let_go(connection, work)
        except psycopg.Error as error:
            if is_away(error):
                raise
            refuse(work, f"It can't be stored: {error}")
    assert work.verdict is not None
    reason = work.verdict.reason
    assert reason is not None
    if work.outcome is Outcome.QUARANTINED:
        return _keep(connection, hit, work.pinned, reason, work.verdict.errors)
    return Counter([Move(hit.partition, Outcome.QUARANTINED, reason.outcome, reason)])


def _let_go(connection: Connection, work: Work) -> Counter[Move]:
    """Store the hit's event, or hold it, and let the worker that has the partition know."""
    if work.outcome is Outcome.STORED:
        [outcome] = batches.store(connection, [event_row(work)])
    else:
        held.announce(connection)
        [outcome] = held.add(connection, [held_row(work)])
    return Counter([Move(work.queued.partition, Outcome.QUARANTINED, outcome)])


def _keep(
    connection: Connection,
    hit: QuarantinedHit,
    pinned: PinnedVersion | None,
    reason: Reason,
    errors: list[FieldError],
) -> Counter[Move]:
    """Leave the hit in quarantine with its new errors, unless it is there a second time.

    That comes out when a snippet's key, unknown before, is found: then the hit has a section.
    """
    try:
        with connection.transaction():
            quarantine.keep(connection, hit.id, pinned, reason, errors)
    except psycopg.errors.UniqueViolation:
        return Counter([Move(hit.partition, Outcome.QUARANTINED, Outcome.DUPLICATE)])
    return Counter()


def _changes(hit: QuarantinedHit, work: Work, moves: Counter[Move]) -> Counter[Ended]:
    """How the counts of hits change: it was quarantined for one reason, and comes to this now.

    In rows of no partition: workers must not wait until a replay is committed.
    """
    version_id = work.pinned.version_id if work.pinned else hit.version_id
    day = day_of(work.received_ms)
    changes = Counter(
        {Ended(NO_PARTITION, hit.version_id, day, Outcome.QUARANTINED, hit.reason): -1}
    )
    if moves:
        move = next(iter(moves))
        changes[Ended(NO_PARTITION, version_id, day, move.to_state, move.reason)] += 1
    elif work.verdict is not None and work.verdict.reason is not None:
        reason = work.verdict.reason
        changes[Ended(NO_PARTITION, version_id, day, Outcome.QUARANTINED, reason)] += 1
    return changes


def _name(work: Work, moves: Counter[Move]) -> str:
    """What became of a hit: its state, with the reason if there is one."""
    if not moves:
        assert work.verdict is not None
        return f"{Outcome.QUARANTINED} ({work.verdict.reason})"
    move = next(iter(moves))
    return f"{move.to_state} ({move.reason})" if move.reason else str(move.to_state)
