"""The load generator, a process of its own: keep-alive connections that send prepared requests.

    python -m benchmarks.load PLAN    (PLAN: the JSON of a Plan)

Prints a line when its requests are ready, starts at the line it then reads, and prints a Result.
Without a rate every connection sends its next request when the last one is answered. With one,
requests are due at fixed times, and a latency counts from when its request was due.
"""

import asyncio
import sys
import time
from collections import deque
from typing import cast

import msgspec
import uvloop

from benchmarks.hits import posts

MOST_HITS_PER_SECOND = {1: 40_000, 10: 120_000, 50: 200_000}
"""More than a collector takes here, by hits a request: as many are prepared for each second."""
_TICK = 0.002
_PATIENCE = 15.0


class Plan(msgspec.Struct, frozen=True):
    """What to send where.

    `rate` is in requests a second, 0 for as fast as it goes. `again`: what was sent may be sent
    once more, for a server that keeps nothing. `by_proxy`: each request is of another client.
    """

    port: int
    key: str
    seconds: float
    hits_each: int = 1
    connections: int = 64
    rate: float = 0.0
    again: bool = False
    by_proxy: bool = False


class Result(msgspec.Struct, frozen=True):
    """What came of a plan: requests by answer, from the first one sent to the last one answered."""

    acknowledged: int
    refused: int
    seconds: float
    cpu_seconds: float
    p50_ms: float
    p99_ms: float


class Sender(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._since = 0.0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._run.idle.append(self)

    def send(self, request: bytes, since: float) -> None:
        self._since = since
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._answer.endswith(b"\r\n\r\n") and b" 204 " in self._answer[:16]:
            return
        good = self._answer.startswith(b"HTTP/1.1 204")
        self._answer = b""
        self._run.answered(self, time.perf_counter() - self._since, good)

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.lost()


class Run:
    """A plan under way."""

    def __init__(self, plan: Plan) -> None:
        self.idle: deque[Sender] = deque()
        self._plan = plan
        most = plan.rate or MOST_HITS_PER_SECOND[plan.hits_each] / plan.hits_each
        count = int(most * plan.seconds) + 1
        self._requests = deque(posts(plan.key, count, plan.hits_each, by_proxy=plan.by_proxy))
        self._latencies: list[float] = []
        self._refused = 0
        self._under_way = 0
        self._sent = 0

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        for _ in range(self._plan.connections):
            await loop.create_connection(lambda: Sender(self), "127.0.0.1", self._plan.port)

    async def go(self) -> Result:
        """Send until the time is up or the requests are, and wait for every answer."""
        cpu, self._start = time.process_time(), time.perf_counter()
        self._until = self._start + self._plan.seconds
        self._tick() if self._plan.rate else self._fill()
        async with asyncio.timeout(self._plan.seconds + _PATIENCE):
            await self._done
        seconds = time.perf_counter() - self._start
        return self._result(seconds, time.process_time() - cpu)

    def answered(self, sender: Sender, latency: float, good: bool) -> None:
        self._under_way -= 1
        self._latencies.append(latency)
        self._refused += not good
        self.idle.append(sender)
        self._fill()

    def lost(self) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError("the server closed a connection"))

    def _tick(self) -> None:
        """At a fixed rate: look often for what is due."""
        self._fill()
        if not self._done.done():
            asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _fill(self) -> None:
        """Give idle connections what is due now; with nothing left to send or await, it is done."""
        now = time.perf_counter()
        more = self._requests and now < self._until + (1.0 if self._plan.rate else 0.0)
        while more and self.idle:
            due = self._start + self._sent / self._plan.rate if self._plan.rate else now
            if due > now:
                break
            request = self._requests.popleft()
            if self._plan.again:
                self._requests.append(request)
            self.idle.popleft().send(request, due)
            self._sent += 1
            self._under_way += 1
            more = bool(self._requests)
        if not more and not self._under_way and not self._done.done():
            self._done.set_result(None)

    def _result(self, seconds: float, cpu_seconds: float) -> Result:
        latencies = sorted(self._latencies)
        p50, p99 = (latencies[int(len(latencies) * part)] * 1000 for part in (0.5, 0.99))
        good = len(latencies) - self._refused
        return Result(good, self._refused, seconds, cpu_seconds, p50, p99)


async def _main(plan: Plan) -> Result:
    run = Run(plan)
    await run.connect()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    return await run.go()


if __name__ == "__main__":
    print(
        msgspec.json.encode(uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))).decode()
    )
