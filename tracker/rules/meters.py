"""How fast a total grows, over the last minute."""

from collections import deque

WINDOW = 60.0
"""Seconds."""


class Meter:
    """Notes a total from time to time; `now` is any clock in seconds that never goes back."""

    def __init__(self) -> None:
        self._noted: deque[tuple[float, float]] = deque()

    def note(self, now: float, total: float) -> float:
        """Note the total; returns by how much it grew each second since a minute ago.

        0 for the first. Of a total that fell, what it grew since then.
        """
        if self._noted and total < self._noted[-1][1]:
            self._noted.clear()
        self._noted.append((now, total))
        # The newest of those that are a minute old stays: from it the whole minute is measured.
        while len(self._noted) > 1 and self._noted[1][0] <= now - WINDOW:
            self._noted.popleft()
        since, before = self._noted[0]
        return (total - before) / (now - since) if now > since else 0.0
