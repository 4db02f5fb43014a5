"""Load on a collector: a sender a partition, and one whose requests go to all of them at once."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from tests.embedded.waiting import until
from tests.worker.cast import hit
from tracker.rules.hits import partition_of

ALL = -1
"""The sender to all partitions."""


def visitor_of(partition: int) -> str:
    """A visitor whose hits go there, of eight partitions."""
    names = (f"visitor-{n}" for n in range(10_000))
    return next(name for name in names if _goes_to(name) == partition)


def _goes_to(visitor: str) -> int:
    return partition_of(json.dumps({"visitor": visitor}).encode(), 8)


VISITORS = [visitor_of(number) for number in range(8)]


class Sender:
    """Sends one request after the other, each until it is answered with 204, as snippets do."""

    def __init__(self, url: str, *visitors: str) -> None:
        self._url, self._visitors = url, visitors
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.acknowledged: list[str] = []
        self.answers: Counter[int] = Counter()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with httpx2.Client(timeout=60) as http:
            while not self._stop.is_set():
                hits = [hit(visitor) for visitor in self._visitors]
                body = json.dumps({"hits": hits})
                while (status := self._post(http, body)) != 204:
                    if self._stop.wait(0.02):
                        return
                self.acknowledged += [str(one["id"]) for one in hits]
                assert status == 204

    def _post(self, http: httpx2.Client, body: str) -> int:
        status = http.post(self._url, content=body).status_code
        self.answers[status] += 1
        return status


class Load:
    """All senders together."""

    def __init__(self, url: str) -> None:
        self.senders = {n: Sender(url, visitor) for n, visitor in enumerate(VISITORS)}
        self.senders[ALL] = Sender(url, *VISITORS)

    @property
    def acknowledged(self) -> list[str]:
        return [id_ for sender in self.senders.values() for id_ in sender.acknowledged]

    @property
    def answers(self) -> Counter[int]:
        return sum((sender.answers for sender in self.senders.values()), Counter())

    def grows(self, *numbers: int, more: int = 20) -> None:
        """Wait until each of these senders has so many more hits acknowledged; or all of them."""
        for number in numbers or self.senders:
            sender = self.senders[number]
            goal = len(sender.acknowledged) + more
            until(lambda s=sender, g=goal: len(s.acknowledged) >= g, f"{number} goes on", 60)  # type: ignore[misc]

    def stop(self) -> None:
        for sender in self.senders.values():
            sender.stop()


@contextmanager
def under_load(url: str) -> Iterator[Load]:
    """The load while the block runs."""
    load = Load(url)
    for sender in load.senders.values():
        sender.start()
    try:
        yield load
    finally:
        load.stop()
