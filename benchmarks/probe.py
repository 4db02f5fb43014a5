"""Probes: single hits by visitors of their own, and how long until each is on its profile."""

import http.client
import time
from dataclasses import dataclass, field

from benchmarks.hits import new_hit
from benchmarks.stack import BenchmarkError, Site

PAUSE = 0.05
_VISIBLE = (
    b"SELECT e.id::text FROM event e JOIN identifier i ON i.id = e.identifier_id"
    b" JOIN profile p ON p.id = i.profile_id"
    b" WHERE e.id = ANY(%s::uuid[]) AND i.keyspace = 'web' AND i.key = ANY(%s)"
)


@dataclass(slots=True)
class Probes:
    """Sends a probe every 50 ms when asked to look, and looks for the ones not seen yet."""

    site: Site
    sent: int = 0
    delays: list[float] = field(default_factory=list)
    _since: dict[str, tuple[str, float]] = field(default_factory=dict)
    _next: float = 0.0
    _connection: http.client.HTTPConnection | None = None

    def look(self, *, sending: bool = True) -> None:
        """One turn: send what is due, then see what is visible."""
        now = time.perf_counter()
        if sending and now >= self._next:
            self._next = max(self._next + PAUSE, now)
            self._send()
        if self._since:
            self._see()

    @property
    def waiting(self) -> bool:
        """Whether a probe is still on its way."""
        return bool(self._since)

    def _send(self) -> None:
        if self._connection is None:
            port = self.site.settings.collector_port
            self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        visitor = f"probe{self.sent:027}"
        hit_id, raw = new_hit(visitor.encode())
        body = b'{"sent":%d,"hits":[%b]}' % (time.time_ns() // 1_000_000, raw)
        self._connection.request("POST", f"/v1/{self.site.key}", body)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 204:
            raise BenchmarkError(f"The collector answered a probe with {answer.status}.")
        self._since[hit_id] = (visitor, time.perf_counter())
        self.sent += 1

    def _see(self) -> None:
        """What PostgreSQL shows as a profile's event, to a connection of its own."""
        visitors = [visitor for visitor, _ in self._since.values()]
        rows = self.site.database.execute(_VISIBLE, (list(self._since), visitors)).fetchall()
        now = time.perf_counter()
        self.delays += [now - self._since.pop(hit_id)[1] for (hit_id,) in rows]
