"""The three ways of a hit: past the parser, past Starlette, or through both, with one outcome."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest

from tests.collector import house as houses
from tests.collector import raw
from tests.collector.house import Collector, House
from tests.collector.test_accepting import ANNA, BEN, envelope
from tests.embedded.waiting import until
from tracker.collector.app import make_app
from tracker.collector.hot_path import HitsProtocol
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


class Parsing(HitsProtocol):
    """Takes nothing past the parser."""

    data_received = BoundedProtocol.data_received


class Unparsed(HitsProtocol):
    """Has no parser."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.parser = None  # type: ignore[assignment]


@pytest.fixture
def by_parser(settings: Settings, key: str) -> Iterator[Collector]:
    with houses.running(make_app(settings), http=Parsing) as collector:
        yield collector


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


def test_all_ways_are_the_same(
    collector: Collector, by_parser: Collector, through_starlette: Collector, house: House, key: str
) -> None:
    house.keep_addresses("whole")
    ways = (collector, by_parser, through_starlette)
    for each in ways:
        each.look()
    for name, request in REQUESTS.items():
        ours, *theirs = [outcome(each, house, request(key)) for each in ways]
        assert theirs == [ours, ours], name


@dataclass
class Full:
    """A hit queue that has no room."""

    retry_after: int = 7


@pytest.mark.parametrize("is_full", [True, False])
def test_all_ways_refuse_the_same(
    settings: Settings, house: House, key: str, is_full: bool
) -> None:
    many = post(key, body=envelope(*[ANNA] * 100))
    with ExitStack() as opened:
        ways = []
        for protocol in (HitsProtocol, Parsing, BoundedProtocol):
            app = make_app(replace(settings, snippet_rate=0 if is_full else 1))
            ways.append(opened.enter_context(houses.running(app, http=protocol)))
            if is_full:
                app.state.intake._pressure = Full()
            outcome(ways[-1], house, many)
        for name in ("plain", "no keep-alive", "chunked", "nobody's key", "no JSON"):
            request = REQUESTS[name](key)
            ours, *theirs = [without_waiting(outcome(each, house, request)) for each in ways]
            assert theirs == [ours, ours], name


def without_waiting(found: object) -> object:
    """An outcome but for the seconds to wait, which grow fewer from one request to the next."""
    assert isinstance(found, tuple)
    answer, *more = found
    wait = answer.headers.pop("retry-after", None)
    return (answer, wait is None, *more)


@pytest.mark.parametrize("size", [1, 10_000])
def test_starlette_has_nothing_to_do_with_a_plain_hit(
    settings: Settings, key: str, house: House, size: int
) -> None:
    app = make_app(settings)
    with houses.running(app) as collector:
        app.state.intake.take = None
        with raw.connect(collector.port) as connection:
            request = post(key)
            for at in range(0, len(request), size):
                connection.sendall(request[at : at + size])
            assert raw.read(connection).status == 204
        assert collector.post("nobody", GOOD).status_code == 500
    assert sorted(house.hits()) == sorted([ANNA, BEN])


def test_the_parser_has_nothing_to_do_with_a_plain_hit_in_one_piece(
    settings: Settings, key: str, house: House
) -> None:
    with (
        houses.running(make_app(settings), http=Unparsed) as collector,
        raw.connect(collector.port) as connection,
    ):
        for number in (1, 22, 22, 333):
            hit = b'{"visitor":"%d"}' % number
            connection.sendall(post(key, "User-Agent: a", body=envelope(hit)))
            assert b" 204 " in connection.recv(65_536)
        connection.sendall(post(key, "User-Agent: b", body=envelope(b"7")))
        assert b" 204 " in connection.recv(65_536)
    assert sorted(sender.agent for sender in house.senders()) == [*"aaaa", "b"]


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


NO_HTTP = b"?\r\n\r\n"


@pytest.mark.parametrize(
    ("more", "statuses"),
    [
        (b"\0", [204]),
        (NO_HTTP, [204]),
        (raw.head("GET /health") + NO_HTTP, [204, 200]),
        (raw.head("CONNECT shop.example:443"), [204]),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 110 + b"\r\n", [204]),
        (raw.head("GET /health", "Transfer-Encoding: chunked") + b"no size\r\n", [204, 400]),
    ],
    ids=["one byte", "no HTTP", "after two", "no proxy", "headers", "a waiting body"],
)
@pytest.mark.parametrize("first", ["plain", "lost hits"])
def test_who_says_no_more_of_http_gets_the_answers_before(
    collector: Collector,
    house: House,
    key: str,
    caplog: pytest.LogCaptureFixture,
    first: str,
    more: bytes,
    statuses: list[int],
) -> None:
    house.redis.client_pause(60_000, all=False)
    with raw.connect(collector.port) as connection:
        try:
            connection.sendall(REQUESTS[first](key) + more)
        finally:
            house.redis.client_unpause()
        text = b""
        while data := connection.recv(65_536):
            text += data
    answers = text.split(b"HTTP/1.1")[1:]
    assert [int(part[1:4]) for part in answers] == statuses
    assert [b"connection: close" in part.lower() for part in answers].index(True) == len(
        answers
    ) - 1
    assert house.hits()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_sender_that_half_closes_is_closed_as_by_uvicorn_and_its_hits_are_taken(
    collector: Collector, house: House, key: str
) -> None:
    for at in (0, 30):
        with raw.connect(collector.port) as connection:
            request = post(key, body=envelope(ANNA))
            connection.sendall(request[:at])
            connection.sendall(request[at:])
            connection.shutdown(socket.SHUT_WR)
            assert raw.is_closed(connection)
    with raw.connect(collector.port) as connection:
        connection.sendall(post(key, body=envelope(BEN))[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert raw.is_closed(connection)
    until(lambda: house.hits() == [ANNA, ANNA], "what came whole is queued")
