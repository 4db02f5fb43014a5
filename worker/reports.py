"""What a worker says of itself: how far it is, and whether it is waiting for a server."""

import time

from tracker.stores import hit_queue
from tracker.stores.reporting import PATIENCE, Reporter


class Reports:
    """The worker's reports. It tells between batches, so that one that hangs becomes silent."""

    def __init__(self, redis_url: str) -> None:
        self._reporter = Reporter("worker")
        self._client = hit_queue.connect(redis_url, PATIENCE)
        self._committed = self._released = 0
        self._last_commit_ms = 0
        self.waits_for = ""

    def committed(self, hits: int, *, held: bool) -> None:
        """Count hits that were committed; held ones were counted before, when they were held."""
        if held:
            self._released += hits
        else:
            self._committed += hits
        self._last_commit_ms = time.time_ns() // 1_000_000

    def tell(self, owned: list[int]) -> None:
        """Report, if it is time to."""
        if not self._reporter.due():
            return
        totals = {"hits": self._committed, "released": self._released}
        figures = {"partitions": len(owned), "last_commit_ms": self._last_commit_ms}
        words = {"partitions": _ranges(owned), "waits_for": self.waits_for}
        self._reporter.send(self._client, self._reporter.report(totals, figures, words))

    def leave(self) -> None:
        """At the end in good order."""
        self._reporter.leave(self._client)
        self._client.close()


def _ranges(numbers: list[int]) -> str:
    """Numbers as people write them: `0-3, 6`."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][-1] == number - 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ", ".join("-".join(map(str, ends)) for ends in found)
