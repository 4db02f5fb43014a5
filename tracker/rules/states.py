"""The states that a hit moves between, and the arithmetic that proves that none was lost."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from tracker.rules.outcomes import Outcome

QUEUED = "queued"
"""Where every hit comes from."""
POSTED = "posted"
"""Where events come from that an API client posted: they are no hits, and were never queued."""
DISCARDED = "discarded"
"""Taken out of the quarantine by a person, for good."""
ERASED = "erased"
"""Deleted with all that was kept of a person, for good."""
EXPIRED = "expired"
"""Deleted because of its age, for good."""
NO_PARTITION = -1
"""Partition of moves that belong to none: those of posted, erased and expired events."""
KEPT = (Outcome.STORED, Outcome.HELD, Outcome.QUARANTINED)
"""States whose hits are rows of a table, so that their rows can be counted."""


class Move(NamedTuple):
    """Hits of a partition that went from one state to another, for a reason or none."""

    partition: int
    from_state: str
    to_state: str
    reason: str = ""


class Ended(NamedTuple):
    """Hits of a partition and a version (None: of none) that came to the same.

    day: that of their receipt, as days since 1970 in UTC.
    """

    partition: int
    version_id: int | None
    day: int
    state: str
    reason: str = ""


def day_of(received_ms: int) -> int:
    """The day of a time in Unix ms, for `Ended`."""
    return received_ms // 86_400_000


def moves(ends: Mapping[Ended, int], origin: str) -> Counter[Move]:
    """The moves out of a state that the ledger counts, of hits that ended so."""
    counts: Counter[Move] = Counter()
    for end, hits in ends.items():
        counts[Move(end.partition, origin, end.state, end.reason)] += hits
    return counts


def changes(ends: Mapping[Ended, int], released: Mapping[Ended, int]) -> Counter[Ended]:
    """How the counts of hits change: what they came to, less the held ones that they were."""
    counts = Counter(ends)
    counts.subtract(released)
    return counts


def state_counts(ledger: Mapping[Move, int]) -> Counter[str]:
    """How many hits are in each state: what came in less what went out."""
    counts: Counter[str] = Counter()
    for move, hits in ledger.items():
        counts[move.to_state] += hits
        if move.from_state not in (QUEUED, POSTED):
            counts[move.from_state] -= hits
    return counts


def queue_imbalance(number: int, *, added: int, queued: int, counted: int) -> str | None:
    """Whether a partition's entries, by Redis's own count, are those read and those queued."""
    off = counted + queued - added
    if not off:
        return None
    return (
        f"partition {number}: Redis took {added} hits, {counted} were read and {queued} are"
        f" queued: {_off(off)}"
    )


def outcome_imbalances(
    counted: Mapping[int, int], ledger: Mapping[Move, int], rows: Mapping[str, int]
) -> list[str]:
    """Where the hits read don't have one first outcome each, or states don't have their rows.

    counted: hits that workers read and committed, by partition, in all queue epochs;
    rows: for each state of KEPT, how many rows its table has.
    """
    first: Counter[int] = Counter()
    for move, hits in ledger.items():
        if move.from_state == QUEUED:
            first[move.partition] += hits
    states = state_counts(ledger)
    return [
        *(
            f"partition {number}: {hits} hits were read, {first[number]} have an outcome:"
            f" {_off(first[number] - hits)}"
            for number in sorted(counted.keys() | first.keys())
            if first[number] != (hits := counted.get(number, 0))
        ),
        *(
            f"{state}: the ledger says {states[state]}, the table has {rows[state]} rows:"
            f" {_off(rows[state] - states[state])}"
            for state in KEPT
            if rows[state] != states[state]
        ),
    ]


def _off(difference: int) -> str:
    return f"{abs(difference)} too {'many' if difference > 0 else 'few'}"
