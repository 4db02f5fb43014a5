"""Which partitions this worker owns: PostgreSQL advisory locks, shared fairly between workers.

A lock lives as long as the connection that took it. Should two workers still believe that they
own a partition, the conditional UPDATE in the batch's transaction lets only one of them write.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg

from tracker.stores import worker_locks
from worker.held import HeldHits

MOST_TRIES = 3
"""A batch that ended this many workers is run hit by hit, to find the hit that does it."""


@dataclass(frozen=True, slots=True)
class Tries:
    """What this process has noted: a database that went away, and came back, is no new try.

    counted: the partitions whose hits it ran; suspects: the marks of those it ran alone last.
    """

    counted: set[int] = field(default_factory=set)
    suspects: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Owned:
    """A partition in this worker's hands: how far it is, and whether to take care with it."""

    last_id: str
    careful: bool
    suspect_id: str | None


class Partitions:
    """The partitions that this worker owns; `connection` holds their locks.

    held: their held hits; unread: those it has not read from yet that may have ended a worker. It
    may have been the read itself, of more than there is memory for, so the next one is to be small.
    """

    def __init__(self, connection: psycopg.Connection, tries: Tries) -> None:
        self._connection = connection
        self._tries = tries
        self.owned: dict[int, Owned] = {}
        self.unread: set[int] = set()
        self.held = HeldHits(connection)
        worker_locks.be_present(connection)

    @property
    def last_ids(self) -> dict[int, str]:
        return {number: owned.last_id for number, owned in self.owned.items()}

    def balance(self) -> None:
        """Give up what is over this worker's fair share, take what is free below it."""
        numbers = worker_locks.numbers(self._connection)
        workers = max(1, worker_locks.present(self._connection))
        share = -(-len(numbers) // workers)
        for number in list(self.owned)[share:]:
            self.release(number)
        for number in numbers:
            if len(self.owned) >= share:
                break
            if number not in self.owned and worker_locks.try_lock(self._connection, number):
                self._take(number)

    def _take(self, number: int) -> None:
        last_id, tries, suspect_id = worker_locks.begin(self._connection, number)
        careful = tries >= MOST_TRIES or suspect_id is not None
        if suspect_id == self._tries.suspects.get(number):
            suspect_id = None  # It was this process, and it lives: the hit is not to blame.
        self.owned[number] = Owned(last_id, careful, suspect_id)
        self.held.follow(number)
        if tries or careful:
            self.unread.add(number)

    def note_tries(self, numbers: Iterable[int]) -> None:
        """Note, once in a process, that it runs hits of these: should they end it, it shows."""
        new = set(numbers) - self._tries.counted
        if new:
            worker_locks.note_tries(self._connection, sorted(new))
            self._tries.counted.update(new)

    def suspect(self, number: int, mark: str) -> bool:
        """Note the hit that is run alone next; False where the partition is lost."""
        self._tries.suspects[number] = mark
        last_id = self.owned[number].last_id
        return worker_locks.suspect(self._connection, number, last_id, mark)

    def forget(self, number: int) -> None:
        """Let go of a partition that turned out to be another worker's."""
        del self.owned[number]
        self.held.forget(number)
        worker_locks.unlock(self._connection, number)

    def release(self, number: int) -> None:
        """Give a partition back in good order: this worker did not die of its hits."""
        worker_locks.clear_tries(self._connection, number)
        self._tries.counted.discard(number)
        self._tries.suspects.pop(number, None)
        self.forget(number)

    def release_all(self) -> None:
        """Give everything back, at the end of a worker that was told to stop."""
        for number in list(self.owned):
            self.release(number)
        worker_locks.leave(self._connection)
