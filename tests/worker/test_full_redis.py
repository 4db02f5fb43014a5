"""A Redis that is over its memory limit takes nothing more; workers empty it all the same."""

from redis import Redis

from tests.collector.test_refusing import full
from tests.worker.cast import Harbour, drain, hit, working
from tracker.settings import Settings


def test_workers_empty_a_redis_that_takes_nothing_more(
    harbour: Harbour, settings: Settings, redis: Redis
) -> None:
    harbour.send(hit())
    drain(harbour)
    harbour.send(hit(), hit())
    with full(redis), working(settings):
        harbour.until_empty()
        assert harbour.balanced() == {"stored": 3}
