"""What a collector says of itself."""

import os
import time

from redis import Redis

from tests.collector import house as houses
from tests.embedded.waiting import until
from tracker.collector.app import make_app
from tracker.settings import Settings
from tracker.stores import processes
from tracker.stores.processes import Report

GOOD = b'{"hits":[{"id":"a1","visitor":"anna"},{"visitor":"ben"}]}'


def report(redis: Redis) -> Report | None:
    now_ms = time.time_ns() // 1_000_000
    found = [one for one in processes.current(redis, now_ms) if one.kind == "collector"]
    return found[0] if found else None


def test_it_counts_what_it_took_and_refused(settings: Settings, redis: Redis, key: str) -> None:
    app = make_app(settings)
    with houses.running(app) as collector:
        until(lambda: report(redis))
        for body in (GOOD, GOOD, b"?"):
            collector.post(key, body)
        app.state.reporter._next = 0.0  # report now, not within five seconds
        until(lambda: (found := report(redis)) and found.figure("hits"))
        found = report(redis)
        assert found is not None
        figures = {"hits": 4, "requests": 2, "refused": 1, "refused: bad_envelope": 1}
        ready = {"connected": 1, "current": 1, "partitions": 8}
        assert found.figures | figures | ready == found.figures
        assert (found.pid, found.figure("hits/s") > 0) == (os.getpid(), True)
    assert report(redis) is None
