"""How many hits a worker reads at a time: few enough to fit in memory, however large they are.

Redis counts entries, not bytes. So the count goes by the size that hits had in the reads before;
where that says nothing yet, or may be what ended a worker, all are taken to be as large as can be.
"""

from collections.abc import Collection

from tracker.rules.hits import MAX_BODY

READ_BYTES = 32_000_000
"""Bytes of hits in one read, more or less: full batches of hits of 8 kB in 8 partitions."""


def count_for(most: int, partitions: int, size: int) -> int:
    """How many hits of this size to read from each partition, `most` at most."""
    return max(1, min(most, READ_BYTES // (max(partitions, 1) * max(size, 1))))


def next_size(before: int, sizes: Collection[int]) -> int:
    """The size to expect after a read: it rises at once, and falls by halves."""
    if not sizes:
        return before
    latest = sum(sizes) // len(sizes)
    return max(latest, (before + latest) // 2)


class ReadSize:
    """What a worker has learned about the size of hits."""

    def __init__(self) -> None:
        self._size = MAX_BODY

    def count(self, most: int, partitions: int, cautious: bool) -> int:
        """How many hits to read from each partition."""
        return count_for(most, partitions, MAX_BODY if cautious else self._size)

    def learn(self, sizes: Collection[int]) -> None:
        """Take note of the sizes of the hits of one read."""
        self._size = next_size(self._size, sizes)
