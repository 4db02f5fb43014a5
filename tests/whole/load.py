"""Load on the collector that keeps a ledger of its own: every hit that was answered with 204."""

import http.client
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.whole.installation import Installation
from tracker.rules import ids

VISITORS = 50
HITS_A_POST = 5


class Load:
    """A sender that retries what was not answered, as snippets do, until it is told to stop."""

    def __init__(self, installation: Installation) -> None:
        self._address = urlsplit(installation.collector)
        self._path = f"/v1/{installation.key('booking')}"
        self._stop = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self.acknowledged: list[str] = []
        self.sent = 0
        self.failed = 0

    def run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            hits = [self._hit(number * HITS_A_POST + n) for n in range(HITS_A_POST)]
            self._send_until_acknowledged(hits)

    def stop(self) -> None:
        self._stop.set()

    def _hit(self, number: int) -> dict[str, object]:
        now_ms = time.time_ns() // 1_000_000
        return {
            "id": str(ids.mint(now_ms, os.urandom(ids.RANDOM_BYTES))),
            "at": now_ms,
            "visitor": f"visitor-{number % VISITORS}",
            "data": {"reference": f"R{number}", "amount": "9.95", "currency": "EUR"},
        }

    def _send_until_acknowledged(self, hits: list[dict[str, object]]) -> None:
        body = json.dumps({"sent": time.time_ns() // 1_000_000, "hits": hits})
        while True:
            self.sent += 1
            if self._post(body) == 204:
                self.acknowledged += [str(hit["id"]) for hit in hits]
                return
            self.failed += 1
            if self._stop.wait(0.02):
                return

    def _post(self, body: str) -> int:
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._address.netloc, timeout=60)
            self._connection.request("POST", self._path, body)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return 0
        return answer.status

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None


@contextmanager
def under_load(installation: Installation) -> Iterator[Load]:
    """Send hits for as long as the block runs."""
    load = Load(installation)
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        yield load
    finally:
        load.stop()
        thread.join()
        load.close()
