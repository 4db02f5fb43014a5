"""Every refusal: its status and body, readable by the page that sent it, and nothing queued."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
import structlog
from redis import Redis

from tests.collector import house as houses
from tests.collector.house import Collector, House
from tests.embedded.waiting import until
from tracker.collector.app import make_app
from tracker.collector.intake import judge
from tracker.rules.refusals import Refusal
from tracker.settings import Settings
from tracker.snippets import publishing
from tracker.stores import key_table
from tracker.stores.definitions import Definition
from tracker.stores.key_table import KeyEntry

GOOD = b'{"sent":7,"hits":[{"id":"a1","visitor":"anna"}]}'
SHOP = "https://shop.example"
BELOW = "https://*.shop.example"


@contextmanager
def full(redis: Redis) -> Iterator[None]:
    """A Redis that takes nothing more."""
    limit = redis.config_get("maxmemory")["maxmemory"] or 0
    redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        redis.config_set("maxmemory", limit)


def said(answer: httpx2.Response) -> tuple[int, str]:
    """Status and reason, once it is sure that a page's script can read them."""
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"reason", "detail"}
    assert body["detail"]
    must_wait = answer.status_code in (429, 500, 503)
    assert ("retry-after" in answer.headers) == must_wait
    assert int(answer.headers.get("retry-after", 1)) >= 1
    return answer.status_code, body["reason"]


def refused(refusal: Refusal) -> tuple[int, str]:
    return refusal.status, refusal.value


def test_an_unknown_key(collector: Collector, house: House) -> None:
    assert said(collector.post("nobody", GOOD)) == refused(Refusal.UNKNOWN_KEY)
    assert said(collector.post("x" * 5000, GOOD)) == refused(Refusal.UNKNOWN_KEY)
    assert said(collector.post("%00%ff\u00e9", GOOD)) == refused(Refusal.UNKNOWN_KEY)
    assert house.hits() == []


def test_an_unknown_key_while_nobody_can_be_sure(collector: Collector, house: House) -> None:
    house.end_lease()
    assert said(collector.post("nobody", GOOD)) == refused(Refusal.UNSURE)
    house.lose_table()
    assert said(collector.post("nobody", GOOD)) == refused(Refusal.UNSURE)
    house.upkeep()
    assert said(collector.post("nobody", GOOD)) == refused(Refusal.UNKNOWN_KEY)


def test_a_table_that_is_behind_is_not_current(collector: Collector, house: House) -> None:
    revision = key_table.published_revision(house.redis)
    assert revision is not None
    key_table.confirm(house.redis, revision + 1)
    assert said(collector.post("nobody", GOOD)) == refused(Refusal.UNSURE)


def test_a_collector_that_never_saw_a_table(settings: Settings) -> None:
    with houses.running(make_app(settings)) as collector:
        assert said(collector.post("nobody", GOOD)) == refused(Refusal.UNSURE)
        assert collector.http.get("/health").status_code == 503


def test_a_known_key_is_taken_without_lease_and_without_table(
    collector: Collector, house: House, key: str
) -> None:
    house.end_lease()
    assert collector.post(key, GOOD).status_code == 204
    house.lose_table()
    assert collector.post(key, GOOD).status_code == 204
    assert len(house.hits()) == 2


def test_off_and_on_again(collector: Collector, house: House, vote: Definition, key: str) -> None:
    house.switch_off(vote)
    house.upkeep()
    until(lambda: collector.post(key, GOOD).status_code == 410, "the collector knows")
    before = len(house.hits())
    assert said(collector.post(key, GOOD)) == refused(Refusal.OFF)
    house.end_lease()
    assert said(collector.post(key, GOOD)) == refused(Refusal.UNSURE)
    assert len(house.hits()) == before
    assert house.switch_on(vote) == key
    assert collector.post(key, GOOD).status_code == 204


def test_a_key_works_as_soon_as_it_is_published(collector: Collector, house: House) -> None:
    for number in range(3):
        key = house.switch_on(house.save(f"Survey {number}"))
        assert collector.post(key, GOOD).status_code == 204
    assert len(house.hits()) == 3


def test_hidden(collector: Collector, house: House, vote: Definition, key: str) -> None:
    house.hide(vote)
    until(lambda: collector.post(key, GOOD).status_code == 410, "the collector knows")
    assert said(collector.post(key, GOOD)) == refused(Refusal.HIDDEN)


@pytest.mark.parametrize(
    ("origins", "strict", "origin", "status"),
    [
        ([], False, None, 204),
        ([], False, "null", 204),
        ([], False, SHOP, 204),
        ([], True, None, 403),
        ([], True, SHOP, 204),
        ([SHOP], False, None, 204),
        ([SHOP], False, SHOP, 204),
        ([SHOP], False, "null", 403),
        ([SHOP], False, "", 403),
        ([SHOP], False, "https://shop.example.evil", 403),
        ([SHOP], False, "http://shop.example", 403),
        ([SHOP], False, f"{SHOP}, {SHOP}", 403),
        ([SHOP], True, None, 403),
        ([SHOP, "null"], True, "null", 204),
        ([BELOW], False, "https://a.b.shop.example", 204),
        ([BELOW], False, SHOP, 403),
    ],
)
def test_origins(
    settings: Settings,
    house: House,
    key: str,
    origins: list[str],
    strict: bool,
    origin: str | None,
    status: int,
) -> None:
    house.let_in(*origins, strict=strict)
    headers = {} if origin is None else {"Origin": origin}
    with houses.running(make_app(settings)) as collector:
        post = collector.post(key, GOOD, **headers)
        pixel = collector.http.get(f"/v1/{key}.gif?_visitor=ben", headers=headers)
    if status == 403:
        assert said(post) == said(pixel) == refused(Refusal.ORIGIN)
    assert (post.status_code, pixel.status_code) == (status, 200 if status == 204 else 403)
    assert len(house.hits()) == (2 if status == 204 else 0)


def test_hits_for_trying_out_may_come_from_the_machine_of_who_tries() -> None:
    entry = KeyEntry("on", [SHOP])
    assert judge(entry, "http://localhost:3000", 0, test=True) is None
    assert judge(entry, "http://localhost:3000", 0) is Refusal.ORIGIN
    assert judge(entry, "https://other.example", 0, test=True) is Refusal.ORIGIN
    assert judge(KeyEntry("on", [SHOP], strict=True), None, 0, test=True) is Refusal.ORIGIN


def test_too_many(settings: Settings, house: House, key: str) -> None:
    limited = houses.own_settings(settings.redis_url, rate=1)
    with houses.running(make_app(limited)) as collector:
        body = b'{"hits":[%b]}' % b",".join([b"{}"] * 100)
        assert collector.post(key, body).status_code == 204
        answer = collector.post(key, GOOD)
        assert said(answer) == refused(Refusal.TOO_MANY)
        assert 60 < int(answer.headers["retry-after"]) <= 91
    assert len(house.hits()) == 100


def test_a_full_redis(collector: Collector, house: House, key: str, redis: Redis) -> None:
    with full(redis):
        assert said(collector.post(key, GOOD)) == refused(Refusal.QUEUE_AWAY)
    assert house.hits() == []
    assert collector.post(key, GOOD).status_code == 204


def test_what_was_not_queued_does_not_count_as_sent(
    settings: Settings, house: House, key: str, redis: Redis
) -> None:
    burst = b'{"hits":[%b]}' % b",".join([b"{}"] * 10)
    with houses.running(make_app(houses.own_settings(settings.redis_url, rate=1))) as collector:
        with full(redis):
            assert said(collector.post(key, burst)) == refused(Refusal.QUEUE_AWAY)
        assert collector.post(key, burst).status_code == 204
        assert said(collector.post(key, burst)) == refused(Refusal.TOO_MANY)


def test_paths_and_methods_that_are_none(collector: Collector, house: House, key: str) -> None:
    expected = {
        ("GET", "/"): (404, "path"),
        ("GET", f"/v2/{key}"): (404, "path"),
        ("POST", f"/v1/{key}/"): (404, "path"),
        ("POST", "/v1/"): (404, "path"),
        ("GET", f"/v1/{key}"): (405, "method"),
        ("PUT", f"/v1/{key}"): (405, "method"),
        ("POST", "/health"): (405, "method"),
        ("OPTIONS", "/nothing"): (404, "path"),
        ("POST", f"/v1/{key}.gif"): refused(Refusal.UNKNOWN_KEY),
    }
    asked = {
        (method, path): said(collector.http.request(method, path, content=GOOD))
        for method, path in expected
    }
    assert asked == expected
    head = collector.http.head(f"/v1/{key}.gif?_visitor=anna")
    assert head.status_code == 405
    assert house.hits() == []


def test_preflight(collector: Collector, key: str) -> None:
    for path in (f"/v1/{key}", "/v1/nobody", f"/v1/{key}.gif"):
        answer = collector.http.options(path, headers={"Origin": SHOP})
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-headers"] == "Content-Type"
        assert "POST" in answer.headers["access-control-allow-methods"]


def test_our_own_bug_is_readable_too(settings: Settings, key: str, house: House) -> None:
    app = make_app(settings)
    with houses.running(app) as collector:
        app.state.intake._keys = None
        assert said(collector.post(key, GOOD)) == (500, "crash")
    assert house.hits() == []


def test_refusals_are_counted(settings: Settings, house: House, vote: Definition, key: str) -> None:
    with houses.running(make_app(settings)) as collector:
        for _ in range(3):
            collector.post("nobody", GOOD)
        collector.post(key, b"{")
        collector.http.get(f"/v1/{key}.gif?" + "&".join("a=1" for _ in range(201)))
        collector.post(key, GOOD)
        until(lambda: key_table.refusals(house.redis).get("unknown_key") == 3, "a tick")
        collector.post(key, bytes(100_001))
    # What the last tick did not see is handed in at the end.
    counts = {"unknown_key": 3, "bad_envelope": 2, "too_large": 1}
    assert key_table.refusals(house.redis) == counts


def test_an_older_publisher_does_not_write_over_a_newer_table(
    collector: Collector, house: House, key: str
) -> None:
    publishing.publish(house.db, house.redis)
    meta = key_table.TableMeta(revision=1, partitions=8)
    assert not key_table.publish(house.redis, meta, {}, {})
    assert collector.post(key, GOOD).status_code == 204


def test_why_redis_takes_no_hits_is_in_the_log_now_and_then(
    collector: Collector, redis: Redis, key: str
) -> None:
    losing = b'{"lost":1,"hits":[{}]}'
    with full(redis), structlog.testing.capture_logs() as logged:
        for body in (GOOD, GOOD, losing, losing):
            assert said(collector.post(key, body)) == refused(Refusal.QUEUE_AWAY)
    [why] = [line["error"] for line in logged if line["event"] == "hits_not_queued"]
    assert why.startswith("OOM ")
