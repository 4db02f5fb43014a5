"""Bodies by people who mean ill, and by broken senders: an honest answer, and life goes on."""

import itertools
from typing import Any

import pytest

from tests.collector import house as houses
from tests.collector import raw
from tests.collector.house import Collector, House
from tests.collector.test_refusing import GOOD, said
from tests.embedded.waiting import until
from tracker.collector.app import make_app
from tracker.collector.hot_path import HitsProtocol
from tracker.collector.http_limits import BoundedProtocol
from tracker.rules.hits import MAX_BODY
from tracker.settings import Settings

TEN_MB = 10_000_000

NO_ENVELOPE = {
    "empty": b"",
    "no JSON": b"hits=1",
    "half": GOOD[:-1],
    "trailing garbage": GOOD + b"x",
    "two": GOOD + GOOD,
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "null": b"null",
    "text": b'"hits"',
    "array": b"[" + GOOD + b"]",
    "object without hits": b'{"sent":7}',
    "hits empty": b'{"hits":[]}',
    "hits null": b'{"hits":null}',
    "hits an object": b'{"hits":{"0":{}}}',
    "101 hits": b'{"hits":[%b]}' % b",".join([b"{}"] * 101),
    "49,000 hits": b'{"hits":[%b]}' % b",".join([b"1"] * 49_000),
    "NaN": b'{"hits":[NaN]}',
    "Infinity": b'{"sent":Infinity,"hits":[{}]}',
    "-Infinity in a hit": b'{"hits":[{"at":-Infinity}]}',
    "sent negative": b'{"sent":-1,"hits":[{}]}',
    "sent a text": b'{"sent":"7","hits":[{}]}',
    "sent null": b'{"sent":null,"hits":[{}]}',
    "sent fractional": b'{"sent":7.5,"hits":[{}]}',
    "sent 1e400": b'{"sent":1e400,"hits":[{}]}',
    "sent past year 9999": b'{"sent":253402300800000,"hits":[{}]}',
    "sent of 90,000 digits": b'{"sent":%b,"hits":[{}]}' % (b"9" * 90_000),
    "lost negative": b'{"lost":-1,"hits":[{}]}',
    "deep array": b"[" * MAX_BODY,
    "deep object": b'{"a":' * (MAX_BODY // 5),
    "deep in a part unknown": b'{"a":%b%b,"hits":[{}]}' % (b"[" * 40_000, b"]" * 40_000),
    "deep hit": b'{"hits":[%b%b]}' % (b"[" * 40_000, b"]" * 40_000),
    "single quotes": b"{'hits':[{}]}",
    "comment": b'{"hits":[{}]/**/}',
    "trailing comma": b'{"hits":[{},]}',
    "control character in a text": b'{"hits":["\x01"]}',
    "unknown escape": b'{"hits":["\\x41"]}',
    "backslashes": b'{"hits":["' + b"\\n" * 49_000,
}

TAKEN = {
    "keys twice": (b'{"hits":[1],"sent":-1,"hits":[2],"sent":9}', [b"2"]),
    "visitor twice": (b'{"hits":[{"visitor":1,"visitor":"b"}]}', [b'{"visitor":1,"visitor":"b"}']),
    "lone surrogates": (
        b'{"hits":[{"visitor":"\\uD83D","a":"x\\udc00\\ud83d\\ude00\\\\ud800"},{}]}',
        [b'{"visitor":"\\ufffd","a":"x\\ufffd\\ud83d\\ude00\\\\ud800"}', b"{}"],
    ),
    "NUL": (b'{"hits":[{"visitor":"\\u0000"}]}', [b'{"visitor":"\\u0000"}']),
    "invalid UTF-8": (b'{"hits":[{"visitor":"\xff"}]}', [b'{"visitor":"\xff"}']),
    "huge numbers": (b'{"hits":[%b,1e999]}' % (b"9" * 9000), [b"9" * 9000, b"1e999"]),
    "500 deep": (b'{"hits":[%b%b]}' % (b"[" * 500, b"]" * 500), [b"[" * 500 + b"]" * 500]),
    "spaces": (b' \r\n{"hits" : [ {} ] }\t\n', [b"{}"]),
    "escaped name": (b'{"h\\u0069ts":[3]}', [b"3"]),
}


def test_bodies_that_are_no_envelope(collector: Collector, house: House, key: str) -> None:
    answers = {name: said(collector.post(key, body)) for name, body in NO_ENVELOPE.items()}
    assert answers == dict.fromkeys(NO_ENVELOPE, (400, "bad_envelope"))
    assert house.hits() == []
    assert collector.post(key, GOOD).status_code == 204


def test_odd_bodies_that_are_taken(collector: Collector, house: House, key: str) -> None:
    queued = {}
    for name, (body, _) in TAKEN.items():
        assert collector.post(key, body).status_code == 204, name
        queued[name] = sorted(house.hits())
        house.redis.delete(*house.redis.keys("pintag:hits:*"))
    assert queued == {name: sorted(hits) for name, (_, hits) in TAKEN.items()}


def test_a_body_that_is_too_large(collector: Collector, house: House, key: str) -> None:
    line = f"POST /v1/{key}"
    chunk = b"%x\r\n%b\r\n" % (MAX_BODY, b" " * MAX_BODY)
    requests = {
        "a byte": [raw.head(line, f"Content-Length: {MAX_BODY + 1}"), bytes(MAX_BODY + 1)],
        "10 MB": [raw.head(line, f"Content-Length: {TEN_MB}"), bytes(TEN_MB)],
        "10 MB in chunks": [
            raw.head(line, "Transfer-Encoding: chunked"),
            *itertools.repeat(chunk, TEN_MB // MAX_BODY),
        ],
        "only announced": [raw.head(line, "Content-Length: 1000000000000")],
        "asking first": [raw.head(line, f"Content-Length: {TEN_MB}", "Expect: 100-continue")],
    }
    for name, parts in requests.items():
        answer = raw.send(collector.port, parts)
        assert (answer.status, b"too_large" in answer.body) == (413, True), name
        assert answer.headers["access-control-allow-origin"] == "*", name
    assert house.hits() == []
    assert collector.post(key, GOOD).status_code == 204


def test_a_connection_goes_on_after_413(collector: Collector, house: House, key: str) -> None:
    for _ in range(3):
        assert collector.post(key, bytes(1_000_000)).status_code == 413
        assert collector.post(key, GOOD).status_code == 204
    assert len(house.hits()) == 3


def test_headers_that_lie(collector: Collector, house: House, key: str) -> None:
    line = f"POST /v1/{key}"
    lies = {
        "negative": ("Content-Length: -1",),
        "exponent": ("Content-Length: 1e9",),
        "no number": ("Content-Length: many",),
        "of 5,000 digits": ("Content-Length: " + "9" * 5000,),
        "two lengths": ("Content-Length: 5", "Content-Length: 48"),
        "length and chunks": ("Content-Length: 48", "Transfer-Encoding: chunked"),
    }
    answers = {
        name: raw.send(collector.port, raw.head(line, *headers) + GOOD).status
        for name, headers in lies.items()
    }
    assert answers == dict.fromkeys(lies, 400)
    assert raw.send(collector.port, b"\x16\x03\x01\x00\xa5 hello\r\n\r\n").status == 400
    assert raw.send(collector.port, b"POST /v1/\xff HTTP/1.1\r\nHost: c\r\n\r\n").status == 400
    assert house.hits() == []
    assert collector.post(key, GOOD).status_code == 204


@pytest.mark.parametrize("more", [(), ("Connection: Upgrade", "Upgrade: h2c")])
def test_it_is_no_proxy(collector: Collector, key: str, more: tuple[str, ...]) -> None:
    with raw.connect(collector.port) as connection:
        connection.sendall(raw.head("CONNECT shop.example:443", *more) + b"\x16\x03\x01")
        assert raw.read(connection).status == 400
        assert raw.is_closed(connection)
    assert collector.post(key, GOOD).status_code == 204


def test_a_hundred_headers_are_enough_for_anybody(
    collector: Collector, house: House, key: str
) -> None:
    def post(count: int) -> list[bytes]:
        extra = [f"X{number}: a" for number in range(count)]
        return [raw.head(f"POST /v1/{key}", f"Content-Length: {len(GOOD)}", *extra), GOOD]

    assert raw.send(collector.port, post(98)).status == 204
    assert raw.send(collector.port, post(99)).status == 400
    with raw.connect(collector.port) as connection:
        connection.sendall(post(9000)[0][:-2])
        assert raw.read(connection).status == 400
        assert raw.is_closed(connection)
    assert len(house.hits()) == 1


def test_endless_headers_are_cut_off(collector: Collector, key: str) -> None:
    heads = {
        "one": b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000_000,
        "many": b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 200_000,
        "address": b"GET /" + b"a" * 1_000_000,
    }
    for name, head in heads.items():
        with raw.connect(collector.port) as connection:
            try:
                connection.sendall(head)
            except (BrokenPipeError, ConnectionResetError):
                continue
            assert raw.is_closed(connection), name
    assert collector.post(key, GOOD).status_code == 204


class Impatient(HitsProtocol):
    request_seconds = 0.3


def test_senders_who_never_finish_are_cut_off(settings: Settings, house: House, key: str) -> None:
    beginnings = {
        "nothing": b"",
        "half a line": b"POST /v1/",
        "half a head": b"POST / HTTP/1.1\r\nX: a\r\n",
        "half a body": raw.head(f"POST /v1/{key}", "Content-Length: 48") + b"{",
        "the rest of what is too large": raw.head(f"POST /v1/{key}", "Content-Length: 900000"),
    }
    with houses.running(make_app(settings), http=Impatient) as collector:
        for name, beginning in beginnings.items():
            with raw.connect(collector.port) as connection:
                connection.sendall(beginning)
                assert raw.is_closed(connection), name
        with raw.connect(collector.port) as connection:
            connection.sendall(raw.head(f"POST /v1/{key}", f"Content-Length: {len(GOOD)}") + GOOD)
            assert b" 204 " in connection.recv(65_536)
            connection.sendall(b"POST")
            assert raw.is_closed(connection)
        assert collector.post(key, GOOD).status_code == 204
    assert len(house.hits()) == 2


class Clocks:
    """Of a protocol: how often it has read, and how many clocks it has started for requests."""

    reads = started = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)  # type: ignore[misc]
        type(self).reads += 1

    def _start_clock(self) -> None:
        type(self).started += 1
        super()._start_clock()  # type: ignore[misc]


@pytest.mark.parametrize("base", [BoundedProtocol, HitsProtocol])
def test_each_request_has_its_own_time(
    settings: Settings, key: str, base: type[BoundedProtocol]
) -> None:
    """Also one that begins in the same read as the one before it ends."""
    noting: Any = type("Noting", (Clocks, base), {})
    request = raw.head(f"POST /v1/{key}", f"Content-Length: {len(GOOD)}") + GOOD
    with (
        houses.running(make_app(settings), http=noting) as collector,
        raw.connect(collector.port) as connection,
    ):
        for number, part in enumerate((request[:-9], request[-9:] + request[:40]), 1):
            connection.sendall(part)
            until(lambda number=number: noting.reads == number)  # type: ignore[misc]
            assert noting.started == number
        connection.sendall(request[40:])
        assert connection.recv(65536).count(b" 204 ") in (1, 2)


def test_what_is_no_http_is_in_the_log_once_a_minute(
    settings: Settings, key: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A line for each would fill the disk, on which the hit queue is, too."""
    with houses.process(settings) as (_, port):
        for _ in range(50):
            assert raw.send(port, b"?\r\n\r\n").status == 400
    assert 1 <= capfd.readouterr().err.count("Invalid HTTP request") <= 3
