"""A Redis that is over its memory limit takes nothing more; workers empty it all the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from tests.worker.cast import Harbour, drain, hit, working
from tracker.settings import Settings


@contextmanager
def over_its_limit(redis: Redis) -> Iterator[None]:
    limit = redis.config_get("maxmemory")["maxmemory"] or 0
    redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        redis.config_set("maxmemory", limit)


def test_workers_empty_a_redis_that_takes_nothing_more(
    harbour: Harbour, settings: Settings, redis: Redis
) -> None:
    harbour.send(hit())
    drain(harbour)
    harbour.send(hit(), hit())
    with over_its_limit(redis), working(settings):
        harbour.until_empty()
        assert harbour.balanced() == {"stored": 3}
