"""From hits that went through the steps to the rows that the batch's transaction writes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec
import psycopg

from tracker.rules.hits import QueuedHit
from tracker.rules.outcomes import Outcome, Reason
from tracker.rules.states import QUEUED, Move
from tracker.stores import batches
from tracker.stores.batches import Batch, EventRow, Progress, QuarantineRow
from worker.steps import Work, internal_error

PORTION_BYTES = 16_000_000
"""Bytes of hits in one transaction, or little more: jsonb takes no more than 256 MB."""

_encode = msgspec.json.Encoder().encode


def rows_of(works: Iterable[Work], progress: list[Progress]) -> Batch:
    """Sort the works by what became of them."""
    events: list[EventRow] = []
    quarantined: list[QuarantineRow] = []
    dropped: Counter[tuple[int, Reason]] = Counter()
    for work in works:
        if work.verdict is None:
            events.append(event_row(work))
        elif work.verdict.reason.outcome is Outcome.QUARANTINED:
            quarantined.append(quarantine_row(work))
        else:
            dropped[work.queued.partition, work.verdict.reason] += 1
    return Batch(progress, events, quarantined, dropped)


def event_row(work: Work) -> EventRow:
    """The event of a hit that no step ended."""
    queued, hit, pinned = work.queued, work.hit, work.pinned
    assert hit is not None
    assert pinned is not None
    assert work.id is not None
    return EventRow(
        partition=queued.partition,
        id=work.id,
        section_id=pinned.section_id,
        version_id=pinned.version_id,
        web=hit.visitor or "",
        event_ms=hit.at,
        received_ms=work.received_ms,
        data=msgspec.Raw(work.data),
        page=hit.page,
        referrer=hit.referrer,
        claims=work.claims,
    )


def quarantine_row(work: Work) -> QuarantineRow:
    """The quarantine's row of a rejected hit: the whole hit, and all that is wrong with it."""
    assert work.verdict is not None
    return QuarantineRow(
        partition=work.queued.partition,
        snippet_key=work.queued.key,
        reason=work.verdict.reason,
        errors=msgspec.Raw(_encode(work.verdict.errors)),
        raw=work.queued.raw,
        sent=work.queued.sent,
        received_ms=work.received_ms,
        section_id=work.pinned.section_id if work.pinned else None,
        version_id=work.pinned.version_id if work.pinned else None,
        hit_id=work.id,
    )


def portions(hits: Mapping[int, list[QueuedHit]]) -> Iterator[dict[int, list[QueuedHit]]]:
    """Cut hits that were read together, so that each transaction's are of a bounded size."""
    portion: dict[int, list[QueuedHit]] = {}
    size = 0
    for number, read in hits.items():
        for queued in read:
            if size > PORTION_BYTES:
                yield portion
                portion, size = {}, 0
            portion.setdefault(number, []).append(queued)
            size += len(queued.raw)
    if portion:
        yield portion


def progress_of(last_ids: Mapping[int, str], hits: Mapping[int, list[QueuedHit]]) -> list[Progress]:
    """How far these hits move their partitions."""
    return [
        Progress(number, last_ids[number], read[-1].stream_id, len(read))
        for number, read in sorted(hits.items())
    ]


def commit(
    connection: psycopg.Connection, works: list[Work], progress: list[Progress]
) -> Counter[Move]:
    """Commit what became of the hits; a hit that PostgreSQL refuses ends as our bug, alone.

    Raises LostPartitionError, and psycopg.OperationalError when the database is away: neither
    counts against a hit.
    """
    try:
        return batches.commit(connection, rows_of(works, progress))
    except psycopg.Error as error:
        if is_away(error):
            raise
        for work in works:
            refusal = _refusal(connection, work)
            if refusal is not None:
                work.verdict = internal_error(f"PostgreSQL: {refusal}")
        return batches.commit(connection, rows_of(works, progress))


class _TriedOut(Exception):  # noqa: N818
    pass


def _refusal(connection: psycopg.Connection, work: Work) -> psycopg.Error | None:
    """Why PostgreSQL refuses this hit's event, by writing it alone and taking it back."""
    if work.verdict is not None:
        return None
    try:
        with connection.transaction():
            batches.store(connection, [event_row(work)], QUEUED)
            raise _TriedOut
    except _TriedOut:
        return None
    except psycopg.Error as error:
        if is_away(error):
            raise
        return error


def is_away(error: psycopg.Error) -> bool:
    """Whether the database could not answer, rather than refuse what it was given."""
    # Class 54, a program's limit exceeded, is about the statement: waiting would not help.
    operational = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return operational and not (error.sqlstate or "").startswith("54")
