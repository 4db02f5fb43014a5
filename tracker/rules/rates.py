"""Rate limits: token buckets and exact windows. `now` is an argument, in seconds.

Both forget a name as soon as it can do no harm, so that strangers can't fill the memory with names.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SWEEP_FROM = 1_000
"""Names that are kept before the first look for those to forget."""


class _Sweeper:
    """Says when to look for names to forget: each time as many are kept as twice those of then."""

    def __init__(self) -> None:
        self._at = SWEEP_FROM

    def sweep(self, kept: dict[str, T], is_done: Callable[[T], bool]) -> None:
        if len(kept) < self._at:
            return
        for name in [name for name, one in kept.items() if is_done(one)]:
            del kept[name]
        self._at = max(SWEEP_FROM, 2 * len(kept))


class Rates:
    """At most `per_second` a second for each name, with bursts of up to ten seconds' worth."""

    BURST_SECONDS = 10

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._full = float(per_second * self.BURST_SECONDS)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._sweeper = _Sweeper()

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._buckets)

    def take(self, name: str, count: int, now: float) -> int:
        """Take `count` from a name's bucket; 0 when it had them, else seconds to wait.

        `now` is in seconds and must not go backwards. A limit of 0 means none.
        """
        if not self._per_second:
            return 0
        self._sweeper.sweep(self._buckets, lambda bucket: self._level(bucket, now) >= self._full)
        level = self._level(self._buckets.get(name, (self._full, now)), now)
        # A request larger than the bucket would wait for ever: a full bucket lets it through.
        if level >= min(count, self._full):
            self._buckets[name] = (level - count, now)
            return 0
        self._buckets[name] = (level, now)
        return math.ceil((min(count, self._full) - level) / self._per_second)

    def _level(self, bucket: tuple[float, float], now: float) -> float:
        level, since = bucket
        return min(self._full, level + (now - since) * self._per_second)


class AtMost:
    """At most `count` in any `seconds` for each name: exact, for limits that are promised."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count, self._seconds = count, seconds
        self._taken: dict[str, deque[float]] = {}
        self._sweeper = _Sweeper()

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._taken)

    def take(self, name: str, now: float) -> int:
        """Count one for a name and return 0; or count nothing and return the seconds to wait."""
        self._sweeper.sweep(self._taken, lambda times: now - times[-1] >= self._seconds)
        times = self._taken.get(name)
        if times is None:
            times = self._taken[name] = deque(maxlen=self._count)
        if len(times) == self._count and (left := times[0] + self._seconds - now) > 0:
            return math.ceil(left)
        times.append(now)
        return 0

    def give_back(self, name: str) -> None:
        """Take back what was counted last for a name: it came to nothing."""
        times = self._taken.get(name)
        if times:
            times.pop()
            if not times:
                del self._taken[name]
