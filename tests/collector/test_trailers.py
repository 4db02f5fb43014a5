"""Headers after a body in chunks: they say nothing, and have an end."""

import pytest

from tests.collector import house as houses
from tests.collector import raw
from tests.collector.house import Collector, House
from tests.collector.test_refusing import GOOD
from tracker.collector.app import make_app
from tracker.collector.hot_path import HitsProtocol
from tracker.collector.http_limits import MAX_HEAD, BoundedProtocol
from tracker.rules.hits import Sender
from tracker.settings import Settings

CLIENT = "203.0.113.9"


def chunked(key: str, *trailers: str) -> bytes:
    """A hit that a proxy passed on, with what its client wrote after the body."""
    head = raw.head(f"POST /v1/{key}", "Transfer-Encoding: chunked", f"X-Forwarded-For: {CLIENT}")
    lines = "\r\n".join(("0", *trailers, "", "")).encode("latin-1")
    return head + b"%x\r\n%b\r\n" % (len(GOOD), GOOD) + lines


@pytest.mark.parametrize("protocol", [HitsProtocol, BoundedProtocol])
def test_they_are_no_headers(
    settings: Settings, house: House, key: str, protocol: type[BoundedProtocol]
) -> None:
    house.keep_addresses("whole")
    house.let_in("https://shop.example")
    lies = ("X-Forwarded-For: 198.51.100.7", "User-Agent: a", "Origin: https://x.example")
    with houses.running(make_app(settings), http=protocol) as collector:
        assert raw.send(collector.port, chunked(key, *lies)).status == 204
    assert house.senders() == [Sender(CLIENT)]


@pytest.mark.parametrize("line", ["X: a\r\n", "X: " + "a" * 1_000_000])
def test_endless_ones_are_cut_off(collector: Collector, key: str, line: str) -> None:
    endless = line.encode() * (20_000_000 // len(line))
    with raw.connect(collector.port) as connection:
        connection.sendall(chunked(key)[:-2])
        with pytest.raises(ConnectionError):
            connection.sendall(endless)
    assert collector.post(key, GOOD).status_code == 204


def test_some_are_nothing_bad(collector: Collector, house: House, key: str) -> None:
    one = chunked(key, "X: " + "a" * (MAX_HEAD - 1000))
    with raw.connect(collector.port) as connection:
        for _ in range(3):
            connection.sendall(one)
            assert b" 204 " in connection.recv(65_536)
    assert len(house.hits()) == 3
