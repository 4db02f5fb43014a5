"""Which partitions this worker owns: PostgreSQL advisory locks, shared fairly between workers.

A lock lives as long as the connection that took it. Should two workers still believe that they
own a partition, the conditional UPDATE in the batch's transaction lets only one of them write.
"""

from dataclasses import dataclass

import psycopg

from tracker.stores import worker_locks

MOST_TRIES = 3
"""A batch that ended this many workers is run hit by hit, to find the hit that does it."""


@dataclass(slots=True)
class Owned:
    """A partition in this worker's hands: how far it is, and whether to take care with it."""

    last_id: str
    careful: bool
    suspect_id: str | None


class Partitions:
    """The partitions that this worker owns; `connection` holds their locks."""

    def __init__(self, connection: psycopg.Connection, tried: set[int]) -> None:
        self._connection = connection
        self._tried = tried
        self.owned: dict[int, Owned] = {}
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
        """Count the try, once in a process: a database that went away is nobody's fault."""
        first = number not in self._tried
        self._tried.add(number)
        last_id, tries, suspect_id = worker_locks.begin(self._connection, number, count=first)
        careful = tries > MOST_TRIES or suspect_id is not None
        self.owned[number] = Owned(last_id, careful, suspect_id)

    def forget(self, number: int) -> None:
        """Let go of a partition that turned out to be another worker's."""
        del self.owned[number]
        worker_locks.unlock(self._connection, number)

    def release(self, number: int) -> None:
        """Give a partition back in good order: this worker did not die of its hits."""
        worker_locks.clear_tries(self._connection, number)
        self._tried.discard(number)
        self.forget(number)

    def release_all(self) -> None:
        """Give everything back, at the end of a worker that was told to stop."""
        for number in list(self.owned):
            self.release(number)
