"""How a process reports itself: every five seconds, with what it logged as wrong since."""

import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

import redis
import structlog
from redis.asyncio import Redis as AsyncRedis

import tracker
from tracker import logs
from tracker.rules.meters import Meter
from tracker.stores import hit_queue, processes
from tracker.stores.processes import Report

log = structlog.get_logger("reports")
REPORT_SECONDS = 5.0
PATIENCE = 1.0
"""Seconds; a report that Redis doesn't take is left out, for the next one says all the same."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Reporter:
    """This process's reports; whoever is a part of it counts totals, and says when."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._host, self._pid = socket.gethostname(), os.getpid()
        self._started_ms = time.time_ns() // 1_000_000
        self._meters: defaultdict[str, Meter] = defaultdict(Meter)
        self._next = 0.0

    def due(self) -> bool:
        """Whether it is time for a report; the next one is due five seconds after."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + REPORT_SECONDS
        return True

    def report(
        self,
        totals: Mapping[str, float] = NOTHING,
        figures: Mapping[str, float] = NOTHING,
        words: Mapping[str, str] = NOTHING,
    ) -> Report:
        """The process as of now; each total comes with what it grew a second."""
        now = time.monotonic()
        all_totals = {**totals, "cpu": time.process_time()}
        rates = {f"{n}/s": self._meters[n].note(now, total) for n, total in all_totals.items()}
        return Report(
            self._kind,
            self._host,
            self._pid,
            tracker.__version__,
            self._started_ms,
            time.time_ns() // 1_000_000,
            {**all_totals, **rates, **figures},
            dict(words),
        )

    def send(self, client: redis.Redis, report: Report) -> None:
        """Make a report known, with what went wrong since the last one, if Redis is there."""
        troubles = logs.recent.take()
        pipeline = client.pipeline(transaction=False)
        processes.write(pipeline, report, troubles)
        try:
            pipeline.execute()
        except (redis.RedisError, OSError):
            logs.recent.put_back(troubles)

    async def send_async(self, client: AsyncRedis, report: Report) -> None:
        """The same for the collector's client."""
        troubles = logs.recent.take()
        pipeline = client.pipeline(transaction=False)
        processes.write(pipeline, report, troubles)
        try:
            await pipeline.execute()
        except (redis.RedisError, OSError):
            logs.recent.put_back(troubles)

    def leave(self, client: redis.Redis) -> None:
        """At the end in good order: nobody is to miss this process."""
        pipeline = client.pipeline(transaction=False)
        processes.remove(pipeline, self.report())
        with suppress(redis.RedisError, OSError):
            pipeline.execute()

    async def leave_async(self, client: AsyncRedis) -> None:
        """The same for the collector's client."""
        pipeline = client.pipeline(transaction=False)
        processes.remove(pipeline, self.report())
        with suppress(redis.RedisError, OSError):
            await pipeline.execute()


class Background:
    """Reports from a thread of its own, for processes whose work is not a loop of ours.

    also: called after each report, with the thread's client.
    """

    def __init__(
        self, kind: str, redis_url: str, also: Callable[[redis.Redis], None] | None = None
    ) -> None:
        self._reporter = Reporter(kind)
        self._client = hit_queue.connect(redis_url, PATIENCE)
        self._also = also
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="reports")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End, and be forgotten."""
        self._stopping.set()
        self._thread.join()
        self._reporter.leave(self._client)
        self._client.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._reporter.send(self._client, self._reporter.report())
                if self._also:
                    self._also(self._client)
            except Exception:
                # Our bug; without its reports the process would seem to hang.
                log.exception("report_failed")
            self._stopping.wait(REPORT_SECONDS)
