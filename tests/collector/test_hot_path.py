"""The two ways of a hit: past Starlette or through it, the answer and the queue are the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from tests.collector import house as houses
from tests.collector import raw
from tests.collector.house import Collector, House
from tests.collector.test_accepting import ANNA, BEN, envelope
from tracker.collector.app import make_app
from tracker.collector.http_limits import BoundedProtocol
from tracker.rules.hits import MAX_BODY
from tracker.settings import Settings
from tracker.stores import hit_queue

GOOD = envelope(ANNA, BEN)


def post(key: str, *headers: str, body: bytes = GOOD, path: str = "/v1/{key}") -> bytes:
    """A whole request."""
    line = f"POST {path.format(key=key)}"
    return raw.head(line, f"Content-Length: {len(body)}", *headers) + body


def chunked(key: str) -> bytes:
    line = raw.head(f"POST /v1/{key}", "Transfer-Encoding: chunked")
    return line + b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD)


REQUESTS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda key: post(key),
    "by a browser": lambda key: post(key, "Origin: https://shop.example", "User-Agent: Mozilla/5"),
    "by a proxy": lambda key: post(key, "X-Forwarded-For: 198.51.100.9, 203.0.113.7"),
    "by a proxy, no address": lambda key: post(key, "X-Forwarded-For: "),
    "a tag and a test": lambda key: post(key, path="/v1/{key}?tag=abc%3A&test"),
    "prefetched": lambda key: post(key, "Sec-Purpose: prefetch"),
    "lost hits": lambda key: post(key, body=b'{"lost":3,"hits":[%b]}' % ANNA),
    "chunked": chunked,
    "no keep-alive": lambda key: post(key, "Connection: close"),
    "waiting for 100": lambda key: post(key, "Expect: 100-continue"),
    "HTTP/1.0": lambda key: post(key).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "absolute address": lambda key: post(key, path="http://collector/v1/{key}"),
    "escaped address": lambda key: post(key, path="/v1/%7Bkey%7D"),
    "longer address": lambda key: post(key, path="/v1/{key}/"),
    "no hits": lambda key: post(key, body=b'{"hits":[]}'),
    "no JSON": lambda key: post(key, body=b"{"),
    "just announced": lambda key: raw.head(f"POST /v1/{key}", "Content-Length: 1000000000000"),
    "no body": lambda key: post(key, body=b""),
    "half an emoji": lambda key: post(key, body=b'{"hits":[{"id":"\\ud83d"}]}'),
    "too large": lambda key: post(key, body=bytes(MAX_BODY + 1)),
    "nobody's key": lambda key: post("nobody"),
    "another method": lambda key: post(key).replace(b"POST", b"PUT"),
}


@pytest.fixture
def through_starlette(settings: Settings, key: str) -> Iterator[Collector]:
    """A collector that answers nothing by itself."""
    with houses.running(make_app(settings), http=BoundedProtocol) as collector:
        yield collector


def outcome(collector: Collector, house: House, request: bytes) -> object:
    """All that a request brings about, but for the time."""
    answer = raw.send(collector.port, request)
    answer.headers.pop("date", None)
    queued, senders = house.queued(), house.senders()
    for number in queued:
        house.redis.delete(hit_queue.stream(number))
    return answer, queued, senders


def test_both_ways_are_the_same(
    collector: Collector, through_starlette: Collector, house: House, key: str
) -> None:
    house.keep_addresses("whole")
    collector.look()
    through_starlette.look()
    for name, request in REQUESTS.items():
        ours = outcome(collector, house, request(key))
        assert ours == outcome(through_starlette, house, request(key)), name


@dataclass
class Full:
    """A hit queue that has no room."""

    retry_after: int = 7


def test_both_ways_refuse_the_same(settings: Settings, house: House, key: str) -> None:
    full, fast = make_app(settings), make_app(replace(settings, snippet_rate=1))
    slow_full, slow_fast = make_app(settings), make_app(replace(settings, snippet_rate=1))
    many = post(key, body=envelope(*[ANNA] * 100))
    for ours, theirs in ((full, slow_full), (fast, slow_fast)):
        with (
            houses.running(ours) as hot,
            houses.running(theirs, http=BoundedProtocol) as cold,
        ):
            if ours is full:
                ours.state.intake._pressure = theirs.state.intake._pressure = Full()
            for each in (hot, cold):
                outcome(each, house, many)
            for name in ("plain", "no keep-alive", "chunked", "nobody's key", "no JSON"):
                request = REQUESTS[name](key)
                found = [outcome(each, house, request) for each in (hot, cold)]
                assert without_waiting(found[0]) == without_waiting(found[1]), name


def without_waiting(found: object) -> object:
    """An outcome but for the seconds to wait, which grow fewer from one request to the next."""
    assert isinstance(found, tuple)
    answer, *more = found
    wait = answer.headers.pop("retry-after", None)
    return (answer, wait is None, *more)


def test_starlette_has_nothing_to_do_with_a_plain_hit(
    settings: Settings, key: str, house: House
) -> None:
    app = make_app(settings)
    with houses.running(app) as collector:
        app.state.intake.take = None
        with raw.connect(collector.port) as connection:
            for byte in post(key):
                connection.sendall(bytes([byte]))
            assert raw.read(connection).status == 204
        assert collector.post("nobody", GOOD).status_code == 500
    assert sorted(house.hits()) == sorted([ANNA, BEN])


def test_one_that_comes_before_the_answer_to_the_last_waits_for_it(
    collector: Collector, house: House, key: str
) -> None:
    house.redis.client_pause(60_000, all=False)
    with raw.connect(collector.port) as connection:
        try:
            connection.sendall(post(key, body=envelope(ANNA)))
            connection.sendall(raw.head("GET /health"))
            connection.sendall(post(key, "Connection: close", body=envelope(BEN)))
            connection.settimeout(0.3)
            with pytest.raises(TimeoutError):
                connection.recv(1)
        finally:
            house.redis.client_unpause()
        connection.settimeout(60)
        text = b""
        while more := connection.recv(65536):
            text += more
    assert [part[1:4] for part in text.split(b"HTTP/1.1")[1:]] == [b"204", b"200", b"204"]
    assert sorted(house.hits()) == sorted([ANNA, BEN])


def test_a_sender_that_left_before_its_answer_harms_nobody(
    collector: Collector, house: House, key: str
) -> None:
    house.redis.client_pause(60_000, all=False)
    try:
        for _ in range(3):
            with raw.connect(collector.port) as connection:
                connection.sendall(post(key, body=envelope(ANNA)))
    finally:
        house.redis.client_unpause()
    assert collector.post(key, envelope(BEN)).status_code == 204
    assert BEN in house.hits()
