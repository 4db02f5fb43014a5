"""The held hits of a worker's partitions: it knows when the next are due, without asking for it.

The database is asked when a partition is taken, when hits are due, and when another process says
that it held some.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg

from tracker.rules.hits import QueuedHit
from tracker.stores import held

PORTION = 500
"""Most hits to release between two looks at the queue: other partitions have new ones."""


@dataclass(slots=True)
class Waiting:
    """A partition's held hits: when the next are due, and the ids of those that are by now."""

    next_due: datetime | None
    due: deque[int] = field(default_factory=deque)


class HeldHits:
    """The held hits of all partitions that this worker owns."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._waiting: dict[int, Waiting] = {}
        self._told = False
        self._now = datetime.min.replace(tzinfo=UTC)
        connection.add_notify_handler(self._hear)
        held.listen(connection)

    def _hear(self, notice: psycopg.Notify) -> None:
        self._told = True

    def follow(self, number: int) -> None:
        """See to a partition's held hits from here on."""
        self._waiting[number] = Waiting(held.next_due(self._connection, [number]).get(number))

    def forget(self, number: int) -> None:
        """Leave a partition's held hits to its next owner."""
        del self._waiting[number]

    def note(self, number: int, due_at: datetime) -> None:
        """Take note of a hit that was held just now."""
        waiting = self._waiting[number]
        waiting.next_due = min(waiting.next_due or due_at, due_at)

    def take(self, now: datetime) -> dict[int, list[QueuedHit]]:
        """The next portion of hits that are due, in order of arrival, by partition."""
        if now < self._now:
            self._forget_what_was_due()
        self._now = now
        if self._told:
            self._told = False
            for number, due_at in held.next_due(self._connection, list(self._waiting)).items():
                self.note(number, due_at)
        for number, waiting in self._waiting.items():
            if not waiting.due and waiting.next_due is not None and waiting.next_due <= now:
                waiting.due.extend(held.due(self._connection, number, now))
                waiting.next_due = held.next_due(self._connection, [number], now).get(number)
        return self._next_portion()

    def _forget_what_was_due(self) -> None:
        """The clock went back. A hit that goes on too early is held anew, behind later ones."""
        for waiting in self._waiting.values():
            waiting.due.clear()
        self._told = True

    def _next_portion(self) -> dict[int, list[QueuedHit]]:
        late = self.unfinished
        ids = []
        for number in late:
            due = self._waiting[number].due
            ids += [due.popleft() for _ in range(min(len(due), max(1, PORTION // len(late))))]
        hits: dict[int, list[QueuedHit]] = {}
        for queued in held.read(self._connection, ids) if ids else ():
            hits.setdefault(queued.partition, []).append(queued)
        return hits

    @property
    def unfinished(self) -> set[int]:
        """Partitions with hits that are due: new ones must not overtake them."""
        return {number for number, waiting in self._waiting.items() if waiting.due}

    def patience(self, now: datetime, most: int) -> int:
        """Milliseconds until the next hits are due: 1 to `most`."""
        if self.unfinished:
            return 1
        times = [w.next_due - now for w in self._waiting.values() if w.next_due is not None]
        return max(1, min([most, *(left // timedelta(milliseconds=1) for left in times)]))
