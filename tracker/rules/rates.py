"""Rate limits as token buckets; `now` is an argument."""

import math


class Rates:
    """At most `per_second` a second for each name, with bursts of up to ten seconds' worth."""

    BURST_SECONDS = 10

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str, count: int, now: float) -> int:
        """Take `count` from a name's bucket; 0 when it had them, else seconds to wait.

        `now` is in seconds and must not go backwards. A limit of 0 means none.
        """
        if not self._per_second:
            return 0
        full = float(self._per_second * self.BURST_SECONDS)
        level, since = self._buckets.get(name, (full, now))
        level = min(full, level + (now - since) * self._per_second)
        # A request larger than the bucket would wait for ever: a full bucket lets it through.
        if level >= min(count, full):
            self._buckets[name] = (level - count, now)
            return 0
        self._buckets[name] = (level, now)
        return math.ceil((min(count, full) - level) / self._per_second)
