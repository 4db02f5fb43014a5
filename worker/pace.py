"""How often a worker reads: a transaction costs it and PostgreSQL as much as 200 hits do."""

from collections.abc import Collection, Sequence

SECONDS = 0.05
"""From one read to the next, unless more is queued: hits may be visible this much later."""


class Pace:
    """Lets hits that come one after the other wait for each other; a full queue waits for nothing.

    A hit that comes alone is read at once. Times are in seconds, by a clock that never jumps.
    """

    def __init__(self) -> None:
        self._next = 0.0

    def patience(self, now: float) -> float:
        """How long to wait before the next read."""
        return max(0.0, self._next - now)

    def note(self, now: float, reads: Collection[Sequence[object]], most: int) -> None:
        """Take note of what was just read of each partition; `most` is what a read may bring."""
        is_more = any(len(read) >= most for read in reads)
        self._next = now + SECONDS if reads and not is_more else now
