"""From hits that went through the steps to the rows that the batch's transaction writes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
import psycopg
from psycopg.errors import ReadOnlySqlTransaction

from tracker.rules.hits import QueuedHit
from tracker.rules.keyspaces import Keyspace
from tracker.rules.outcomes import Outcome, Reason
from tracker.stores import batches
from tracker.stores.batches import (
    Batch,
    Dropped,
    Progress,
    QuarantineRow,
    StaleRulesError,
    Written,
)
from tracker.stores.events import EventRow
from tracker.stores.held import HeldRow
from worker.steps import Work, read_id, refuse

PORTION_BYTES = 16_000_000
"""Bytes of hits in one transaction, or little more: jsonb takes no more than 256 MB."""
MOST_KEY, MOST_RAW, MOST_REFUSAL = 1_000, 10_000_000, 1_000
"""What a bare row keeps, and far more than any hit has that came through a collector."""

Works = list[Work]

_encode = msgspec.json.Encoder().encode


def rows_of(works: Works, progress: list[Progress]) -> Batch:
    """Sort the works, which were judged by the same rules, by what became of them."""
    released = [work.queued.held_id for work in works if work.queued.held_id is not None]
    batch = Batch(works[0].revision, progress, released, [], [], [], [])
    for work in works:
        if work.verdict is None:
            batch.events.append(event_row(work))
        elif work.verdict.reason is None:
            batch.held.append(held_row(work))
        elif work.outcome is Outcome.QUARANTINED:
            batch.quarantined.append(bare_row(work) if work.bare else quarantine_row(work))
        else:
            batch.dropped.append(_dropped(work, work.verdict.reason))
    return batch


def _dropped(work: Work, reason: Reason) -> Dropped:
    version_id = work.pinned.version_id if work.pinned else None
    return Dropped(work.queued.partition, version_id, work.received_ms, reason)


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
        key=work.identities[0].key if work.identities else hit.visitor or "",
        event_ms=hit.at,
        received_ms=work.received_ms,
        data=msgspec.Raw(work.data),
        keyspace=work.identities[0].keyspace if work.identities else Keyspace.WEB,
        page=hit.page,
        referrer=hit.referrer or None,  # what browsers say where there is none is ""
        claims=work.claims,
        joins=work.identities[1:],
        address=queued.sender.address,
        agent=work.agent,
        sent_ms=queued.sent,
    )


def held_row(work: Work) -> HeldRow:
    """The row of a hit that has to wait."""
    queued, pinned = work.queued, work.pinned
    assert pinned is not None
    return HeldRow(
        partition=queued.partition,
        section_id=pinned.section_id,
        version_id=pinned.version_id,
        snippet_key=queued.key,
        raw=queued.raw,
        sent=queued.sent,
        received_ms=work.received_ms,
        due_at=pinned.usable_from,
        hit_id=read_id(queued.raw),
        address=queued.sender.address,
        agent=work.agent,
        tag=queued.sender.tag or None,
    )


def quarantine_row(work: Work) -> QuarantineRow:
    """The quarantine's row of a rejected hit: the whole hit, and all that is wrong with it."""
    assert work.verdict is not None
    assert work.verdict.reason is not None
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
        hit_id=work.id or read_id(work.queued.raw),
        address=work.queued.sender.address,
        agent=work.agent,
        tag=work.queued.sender.tag or None,
    )


def bare_row(work: Work) -> QuarantineRow:
    """The row of a rejected hit of which PostgreSQL refused the whole row: what it must take."""
    assert work.verdict is not None
    assert work.verdict.reason is not None
    return QuarantineRow(
        partition=work.queued.partition,
        snippet_key=work.queued.key.replace("\0", "\N{REPLACEMENT CHARACTER}")[:MOST_KEY],
        reason=work.verdict.reason,
        errors=msgspec.Raw(_encode(work.verdict.errors)),
        raw=work.queued.raw[:MOST_RAW],
        sent=0,
        received_ms=work.received_ms,
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


def progress_of(last_ids: Mapping[int, str], hits: Iterable[QueuedHit]) -> list[Progress]:
    """How far these hits move their partitions; held ones move none."""
    new: dict[int, str] = {}
    counts: Counter[int] = Counter()
    for queued in hits:
        if queued.held_id is None:
            new[queued.partition] = queued.stream_id
            counts[queued.partition] += 1
    return [Progress(n, last_ids[n], last, counts[n]) for n, last in sorted(new.items())]


def commit(
    connection: psycopg.Connection,
    works: Works,
    last_ids: dict[int, str],
    again: Callable[[Works], Works],
) -> Works:
    """Commit what became of the hits; returns it, and moves the partitions' last stream ids on.

    Where the rules have changed meanwhile, the hits are judged `again`. What PostgreSQL refuses
    is cut in halves until the hit that it refuses is alone, and that one ends as our bug. Raises
    LostPartitionError, and psycopg.OperationalError when the database is away: neither counts
    against a hit.
    """
    progress = progress_of(last_ids, (work.queued for work in works))
    while True:
        try:
            written = batches.commit(connection, rows_of(works, progress))
        except StaleRulesError:
            works = again(works)
        except (psycopg.Error, UnicodeError) as error:
            if is_away(error):
                raise
            if len(works) > 1:
                middle = len(works) // 2
                done = commit(connection, works[:middle], last_ids, again)
                return done + commit(connection, works[middle:], last_ids, again)
            _give_way(works[0], error)
        else:
            last_ids.update({moved.number: moved.new for moved in progress})
            _mark_duplicates(works, written)
            return works


def _mark_duplicates(works: Works, written: Written) -> None:
    """Note which hits turned out to be duplicates as they were written."""
    if not any(Outcome.DUPLICATE in ends for ends in written):
        return
    outcomes = {
        Outcome.STORED: iter(written.events),
        Outcome.HELD: iter(written.held),
        Outcome.QUARANTINED: iter(written.quarantined),
    }
    for work in works:
        if work.outcome in outcomes:
            work.duplicate = next(outcomes[work.outcome]) is Outcome.DUPLICATE


def _give_way(work: Work, refusal: Exception) -> None:
    """Make less of a hit that PostgreSQL refuses: first no event, then the barest row there is."""
    if work.bare:
        raise refusal
    work.bare = work.outcome is Outcome.QUARANTINED
    # PostgreSQL's words may repeat just what it refuses.
    why = type(refusal).__name__ if work.bare else str(refusal)
    refuse(work, f"It can't be stored: {why}"[:MOST_REFUSAL])


def is_away(error: Exception) -> bool:
    """Whether the database could not answer, rather than refuse what it was given."""
    if isinstance(error, ReadOnlySqlTransaction):  # a standby, or a service with a full disk
        return True
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    # Class 54, a program's limit exceeded, is about the statement: waiting would not help.
    return not (error.sqlstate or "").startswith("54")
