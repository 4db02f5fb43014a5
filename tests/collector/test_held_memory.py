"""What a connection may hold of the collector's memory, and until when."""

import gc
import socket
import tracemalloc
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import ClassVar

import pytest
from redis import Redis

from tests.collector import house as houses
from tests.collector import raw
from tests.collector.house import Collector, House
from tests.collector.test_refusing import GOOD
from tests.embedded.waiting import until
from tracker.collector.app import make_app
from tracker.collector.hot_path import HitsProtocol
from tracker.rules.hits import MAX_BODY
from tracker.settings import Settings

TINY = b"GET / HTTP/1.1\r\n\r\n"
MANY_HEADERS = raw.head("GET /", *["a:"] * 98)


def post(key: str, body: bytes = GOOD, *headers: str) -> bytes:
    return raw.head(f"POST /v1/{key}", f"Content-Length: {len(body)}", *headers) + body


def ask(connection: socket.socket, data: bytes) -> bytes:
    """Send data, and wait for what is said to it."""
    connection.sendall(data)
    return connection.recv(65_536)


@contextmanager
def silent(redis: Redis) -> Iterator[None]:
    """A Redis that confirms no hit."""
    redis.client_pause(60_000, all=False)
    try:
        yield
    finally:
        redis.client_unpause()


@pytest.mark.parametrize("waits", [TINY, MANY_HEADERS], ids=["tiny", "many headers"])
def test_requests_that_wait_are_bounded_by_what_they_take(
    collector: Collector, house: House, key: str, redis: Redis, waits: bytes
) -> None:
    """Not by what is sent: of a few bytes thirty times as many are made."""
    with silent(redis), raw.connect(collector.port) as connection:
        connection.sendall(post(key))
        with pytest.raises(ConnectionError):
            ask(connection, waits * (250_000 // len(waits)))
    assert collector.post(key, GOOD).status_code == 204


@pytest.mark.parametrize("offers", [(), ("Connection: Upgrade", "Upgrade: h2c")])
def test_some_may_wait(
    collector: Collector, house: House, key: str, redis: Redis, offers: tuple[str, ...]
) -> None:
    with raw.connect(collector.port) as connection:
        with silent(redis):
            connection.sendall(post(key, GOOD, *offers) * 45)
        answers = b""
        while answers.count(b"HTTP/1.1 204") < 45:
            answers += connection.recv(65_536) or pytest.fail("it ended")
    assert len(house.hits()) == 45


def test_one_that_rests_holds_nothing_of_its_last_request(
    collector: Collector, house: House, key: str
) -> None:
    body = b'{"hits":[{"page":"%b"}]}' % (b"x" * (MAX_BODY - 30))
    whole = post(key, body)
    with ExitStack() as opened:
        connections = [opened.enter_context(raw.connect(collector.port)) for _ in range(20)]
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for connection in connections:
            connection.sendall(whole[:20])
            assert b" 204 " in ask(connection, whole[20:])
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
    assert grown < len(connections) * MAX_BODY / 4


def test_a_body_in_many_pieces_takes_no_more_than_in_one(collector: Collector, key: str) -> None:
    begun = raw.head(f"POST /v1/{key}", "Transfer-Encoding: chunked") + b"2\r\n  \r\n" * 40_000
    with raw.connect(collector.port) as connection:
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        connection.sendall(begun)
        assert b" 204 " in ask(connection, b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD))
        most = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
    assert most < 10 * MAX_BODY


class Known(HitsProtocol):
    """Those that somebody holds on to."""

    open: ClassVar[weakref.WeakSet["Known"]] = weakref.WeakSet()

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.open.add(self)


@pytest.mark.parametrize("sent", [TINY, TINY * 20, b"POST", b"?\r\n\r\n"])
def test_one_that_ended_is_gone_without_the_garbage_collector(
    settings: Settings, house: House, key: str, redis: Redis, sent: bytes
) -> None:
    with houses.running(make_app(settings), http=Known) as collector:
        gc.disable()
        try:
            with raw.connect(collector.port) as connection:
                assert b" 204 " in ask(connection, post(key))
                with silent(redis):
                    connection.sendall(post(key))
                    connection.sendall(sent)
            until(lambda: not Known.open, "nothing holds on to it", 20)
        finally:
            gc.enable()
