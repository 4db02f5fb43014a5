"""A hit queue that fills: hits are refused before Redis must refuse them, and none is lost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from tests.collector import house as houses
from tests.collector.house import Collector, House
from tests.collector.test_refusing import GOOD, refused, said
from tests.embedded.waiting import until
from tracker.collector.app import make_app
from tracker.rules.backpressure import LONGEST, SHORTEST
from tracker.rules.refusals import Refusal
from tracker.settings import Settings
from tracker.stores import hit_queue

ROOM = 8_000_000
FULL = refused(Refusal.QUEUE_FULL)


@contextmanager
def little_memory(redis: Redis, room: int) -> Iterator[None]:
    """A Redis with room for so many bytes more, up to a collector's mark."""
    before = redis.config_get("maxmemory")["maxmemory"] or 0
    info: Any = redis.info("memory")
    redis.config_set("maxmemory", int((info["used_memory"] + room) / 0.8))
    try:
        yield
    finally:
        redis.config_set("maxmemory", before)


def oom_errors(redis: Redis) -> int:
    """How often Redis refused to take something because its memory was full."""
    errors: Any = redis.info("errorstats")
    return int(errors.get("errorstat_OOM", {}).get("count", 0))


def fill(collector: Collector, key: str, redis: Redis) -> list[bytes]:
    """Send hits until one is refused, as quickly as one sender can; those that were taken."""
    taken: list[bytes] = []
    for number in range(10 * ROOM // 20_000):
        hit = b'{"visitor":"v%d","page":"%b"}' % (number, b"x" * 20_000)
        answer = collector.post(key, b'{"hits":[%b]}' % hit)
        if answer.status_code != 204:
            assert said(answer) == FULL
            assert SHORTEST <= int(answer.headers["retry-after"]) <= LONGEST
            return taken
        taken.append(hit)
    raise AssertionError("nothing was ever refused")


def drain(house: House) -> None:
    """What a worker does that has committed all that waits."""
    epoch = hit_queue.get_epoch(house.redis)
    committed = {
        number: house.redis.xinfo_stream(hit_queue.stream(number))["last-generated-id"].decode()
        for number in range(houses.PARTITIONS)
        if house.redis.exists(hit_queue.stream(number))
    }
    hit_queue.trim(house.redis, epoch, committed)


def test_hits_are_refused_before_redis_is_full_and_taken_again_when_it_is_not(
    settings: Settings, house: House, key: str, redis: Redis
) -> None:
    hit_queue.begin_epoch(redis, "one", range(houses.PARTITIONS))
    ooms = oom_errors(redis)
    with little_memory(redis, ROOM):
        with houses.running(make_app(settings)) as collector:
            taken = fill(collector, key, redis)
            assert said(collector.http.get(f"/v1/{key}.gif?_visitor=anna")) == FULL
            assert said(collector.post("nobody", GOOD)) == refused(Refusal.UNKNOWN_KEY)
            assert collector.http.get("/health/ready").status_code == 200
        with houses.running(make_app(settings)) as again:
            assert said(again.post(key, GOOD)) == FULL
            assert sorted(house.hits()) == sorted(taken)
            drain(house)
            until(lambda: again.post(key, GOOD).status_code == 204, "hits are taken again")
    assert len(taken) > 0.5 * ROOM / 20_000
    assert oom_errors(redis) == ooms
    assert redis.hget("pintag:refusals", "queue_full")


@pytest.mark.parametrize("mark", [Settings(queue_hits=2), Settings(queue_seconds=1)])
def test_marks_of_length_and_age(
    settings: Settings, house: House, key: str, mark: Settings
) -> None:
    hit_queue.begin_epoch(house.redis, "one", range(houses.PARTITIONS))
    with houses.running(make_app(replace(mark, redis_url=settings.redis_url))) as collector:
        since = time.monotonic()
        for _ in range(2):
            assert collector.post(key, GOOD).status_code == 204
        until(lambda: collector.post(key, GOOD).status_code == 503, "the collector looks")
        assert time.monotonic() - since > 1 or mark.queue_hits
        drain(house)
        until(lambda: collector.post(key, GOOD).status_code == 204, "hits are taken again")


def test_a_queue_may_become_as_full_as_it_gets(
    settings: Settings, house: House, key: str, redis: Redis
) -> None:
    no_marks = replace(settings, queue_percent=0)
    with little_memory(redis, 0), houses.running(make_app(no_marks)) as collector:
        assert collector.post(key, GOOD).status_code == 204
