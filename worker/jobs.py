"""`python -m worker.jobs`: runs the rare long jobs that RQ holds, one at a time."""

import sys

import psycopg
from redis import Redis, RedisError
from rq import SimpleWorker

from tracker import startup
from tracker.settings import SettingsError, load
from tracker.stores.jobs import QUEUE
from tracker.stores.reporting import Background
from worker.resuming import resume


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
    # Jobs run in this process, so that none outlives it. Without a socket timeout, as RQ waits
    # for jobs in calls that block for minutes.
    client = Redis.from_url(settings.redis_url, socket_timeout=None)
    reports = Background("jobs", settings.redis_url)
    reports.start()
    try:
        SimpleWorker([QUEUE], connection=client).work(logging_level="WARNING")
    finally:
        reports.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
