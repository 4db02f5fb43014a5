"""The loss ledger: exactly what was reported with hits that were taken, by snippet key."""

import random

import httpx2
import pytest
from redis import Redis

from tests.collector import house as houses
from tests.collector.house import Collector, House
from tests.collector.test_refusing import full, said
from tracker.actions import auditing
from tracker.settings import Settings
from tracker.stores import losses, snippets
from tracker.stores.definitions import Definition


def reporting(lost: int) -> bytes:
    return b'{"lost":%d,"hits":[{"id":"a1","visitor":"anna"},{"visitor":"ben"}]}' % lost


def lost(house: House, definition: Definition) -> dict[str, int]:
    """The counts of an event's snippets, by key."""
    found = snippets.every(house.db, definition.id)
    return {snippet.key: snippet.lost for snippet in losses.counted(house.redis, found)}


def test_what_was_reported_is_summed_up_by_snippet(
    collector: Collector, house: House, key: str, vote: Definition
) -> None:
    other = house.save("Other")
    other_key = house.switch_on(other)
    assert lost(house, vote) == {key: 0}
    counts = random.Random(7).choices(range(50), k=40)
    for number, count in enumerate(counts):
        whose = key if number % 2 else other_key
        assert collector.post(whose, reporting(count)).status_code == 204
    assert lost(house, vote) == {key: sum(counts[1::2])}
    assert lost(house, other) == {other_key: sum(counts[::2])}
    assert len(house.hits()) == 80
    assert auditing.audit(house.db, house.redis).lost == sum(counts)


def test_what_is_refused_counts_nothing(
    collector: Collector, house: House, key: str, redis: Redis
) -> None:
    too_many = b'{"lost":5,"hits":[%b]}' % b",".join([b"1"] * 101)
    assert said(collector.post("nobody", reporting(5)))[0] == 404
    assert said(collector.post(key, b'{"lost":5,"hits":[]}'))[0] == 400
    assert said(collector.post(key, b'{"lost":-5,"hits":[{}]}'))[0] == 400
    assert said(collector.post(key, too_many))[0] == 400
    with full(redis):
        assert said(collector.post(key, reporting(5)))[0] == 503
    house.let_in("https://shop.example")
    collector.look()
    assert said(collector.post(key, reporting(5), origin="https://elsewhere.example"))[0] == 403
    assert losses.total(redis) == 0
    assert house.hits() == []


def test_tests_and_pixels_lose_nothing(
    collector: Collector, house: House, key: str, redis: Redis
) -> None:
    assert collector.post(f"{key}?test", reporting(5)).status_code == 204
    assert collector.http.get(f"/v1/{key}.gif?_visitor=a&lost=5&_lost=5").status_code == 200
    assert losses.total(redis) == 0


@pytest.mark.parametrize("count", [losses.MOST + 1, 2**63 - 1, 2**64, 10**100])
def test_no_count_can_spoil_the_sum(
    collector: Collector, house: House, key: str, redis: Redis, count: int
) -> None:
    for _ in range(2):
        answer = collector.post(key, reporting(count))
        assert answer.status_code == 204 or said(answer) == (400, "bad_envelope")
    taken = len(house.hits()) // 2
    assert losses.total(redis) == taken * losses.MOST
    assert collector.post(key, reporting(1)).status_code == 204


def test_a_count_that_redis_refuses_refuses_no_hits(
    collector: Collector, house: House, key: str, redis: Redis
) -> None:
    redis.set(losses.LOST, "somebody's own")
    assert collector.post(key, reporting(3)).status_code == 204
    assert len(house.hits()) == 2
    with full(redis):
        assert said(collector.post(key, reporting(3)))[0] == 503
    redis.delete(losses.LOST)
    assert collector.post(key, reporting(3)).status_code == 204
    assert losses.total(redis) == 3


def test_a_collector_that_is_killed_after_its_answer_loses_no_count(
    settings: Settings, house: House, key: str, redis: Redis
) -> None:
    for round_ in range(1, 3):
        with houses.process(settings) as (collector, port):
            answer = httpx2.post(f"http://127.0.0.1:{port}/v1/{key}", content=reporting(3))
            collector.kill()
        assert answer.status_code == 204
        assert (losses.total(redis), len(house.hits())) == (3 * round_, 2 * round_)
