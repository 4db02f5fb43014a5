"""`python -m worker.jobs`: runs the rare long jobs that RQ holds, one at a time."""

import os
import signal
import sys
import time
from types import FrameType

import psycopg
import structlog
from redis import Redis, RedisError
from rq import SimpleWorker

from tracker import startup
from tracker.settings import Settings, SettingsError, load
from tracker.stores.demoted import leaving
from tracker.stores.jobs import QUEUE
from tracker.stores.reporting import Background
from worker.resuming import resume

PAUSE_SECONDS = 1.0
NOTE = "pintag:jobs:note"
"""A key that is written and forgotten, to see whether Redis takes anything: one that is full would
have RQ give up at once, time and again."""

log = structlog.get_logger("jobs")


class _Worker(SimpleWorker):
    """RQ's; it returns when it is told to stop, and in the same way when Redis goes away."""

    is_told_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.is_told_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def main() -> int:
    startup.begin()
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        resume(settings)
    except (psycopg.Error, RedisError) as error:
        # The next start, or the daily retention, sees to it; meanwhile other jobs can run.
        print(f"Unfinished jobs could not be looked for: {error}", file=sys.stderr)
    if not _work(settings):
        # RQ left in the middle of things, with threads behind it: everything begins anew.
        os.execv(sys.executable, [sys.executable, "-m", "worker.jobs"])  # noqa: S606  ourselves
    return 0


def _work(settings: Settings) -> bool:
    """Run jobs until told to stop; False where RQ gave up, mostly over a Redis that is back now."""
    # Jobs run in this process, so that none outlives it. Without a socket timeout, as RQ waits
    # for jobs in calls that block for minutes.
    client = leaving(Redis.from_url(settings.redis_url, socket_timeout=None))
    reports = Background("jobs", settings.redis_url)
    reports.start()
    try:
        worker, why = None, "RQ has said why"
        try:
            worker = _Worker([QUEUE], connection=client)
            worker.work(logging_level="WARNING")
        except RedisError as error:
            why = str(error)
        if worker and worker.is_told_to_stop:
            return True
        log.warning("given_up", error=why, meaning="RQ starts anew once Redis takes writes")
        _wait_for(client)
        return False
    finally:
        reports.stop()


def _wait_for(client: Redis) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # RQ's ends a job in good order, and there is none
    while True:
        time.sleep(PAUSE_SECONDS)
        try:
            client.set(NOTE, "", px=1)
        except RedisError:
            continue
        return


if __name__ == "__main__":
    sys.exit(main())
