"""The states that a hit moves between, and the arithmetic that proves that none was lost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tracker.rules.outcomes import Outcome

QUEUED = "queued"
"""Where every hit comes from; all other states are outcomes."""
KEPT = (Outcome.STORED, Outcome.QUARANTINED)
"""States whose hits are rows of a table, so that their rows can be counted."""


class Move(NamedTuple):
    """Hits of a partition that went from one state to another, for a reason or none."""

    partition: int
    from_state: str
    to_state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PartitionCount:
    """What both sides say of a partition: Redis's own counts, and the database's.

    added, queued: entries that Redis ever took in this queue epoch, and those not read yet.
    counted: hits that workers committed in this epoch; earlier: in epochs that Redis lost.
    """

    number: int
    added: int
    queued: int
    counted: int
    earlier: int = 0


def state_counts(ledger: Mapping[Move, int]) -> Counter[str]:
    """How many hits are in each state: what came in less what went out."""
    counts: Counter[str] = Counter()
    for move, hits in ledger.items():
        counts[move.to_state] += hits
        if move.from_state != QUEUED:
            counts[move.from_state] -= hits
    return counts


def imbalances(
    partitions: list[PartitionCount], ledger: Mapping[Move, int], rows: Mapping[str, int]
) -> list[str]:
    """Where the ledger does not balance, and by how much; an empty list proves that it does.

    rows: for each state of KEPT, how many rows its table has.
    """
    problems = []
    for part in partitions:
        if part.added != part.counted + part.queued:
            problems.append(
                f"partition {part.number}: Redis took {part.added} hits, but {part.counted} were"
                f" read and {part.queued} are queued:"
                f" {_off(part.counted + part.queued - part.added)}"
            )
        first = sum(hits for move, hits in ledger.items() if move[:2] == (part.number, QUEUED))
        if first != part.counted + part.earlier:
            problems.append(
                f"partition {part.number}: {part.counted + part.earlier} hits were read, but"
                f" {first} have a first outcome: {_off(first - part.counted - part.earlier)}"
            )
    states = state_counts(ledger)
    for state in KEPT:
        if states[state] != rows[state]:
            problems.append(
                f"{state}: the ledger says {states[state]}, but there are {rows[state]} rows:"
                f" {_off(rows[state] - states[state])}"
            )
    return problems


def _off(difference: int) -> str:
    return f"{abs(difference)} too {'many' if difference > 0 else 'few'}"
