"""Limits of rates and connections, as senders meet them."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import pytest
from redis import Redis

from tests.collector import house as houses
from tests.collector import raw
from tests.collector.house import Collector, House
from tests.collector.test_refusing import GOOD, full, refused, said
from tests.collector.test_scripts import PATH
from tests.embedded.waiting import until
from tracker.collector.app import make_app
from tracker.collector.hot_path import HitsProtocol
from tracker.rules.refusals import Refusal
from tracker.settings import Settings

STRANGER = "127.0.0.2"
"""Of loopback, too, yet no trusted proxy's."""
TEN = b'{"hits":[%b]}' % b",".join([b'{"visitor":"anna"}'] * 10)
HUNDRED = b'{"hits":[%b]}' % b",".join([b"{}"] * 100)
ASK = raw.head("GET /health/alive")
MOST_UNREAD = 20_000_000
"""Bytes; more than the system itself keeps for two sides that don't read."""


@contextmanager
def limited(settings: Settings, limits: Settings) -> Iterator[Collector]:
    with houses.running(make_app(replace(limits, redis_url=settings.redis_url))) as collector:
        yield collector


def connect(port: int, address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 60, source_address=(address, 0))


def test_one_visitor(settings: Settings, house: House, key: str) -> None:
    with limited(settings, Settings(visitor_rate=1)) as collector:
        assert collector.post(key, TEN).status_code == 204
        assert said(collector.post(key, GOOD)) == refused(Refusal.VISITOR_RATE)
        assert said(collector.http.get(f"/v1/{key}.gif?_visitor=anna")) == refused(
            Refusal.VISITOR_RATE
        )
        assert collector.http.get(f"/v1/{key}.gif?_visitor=ben").status_code == 200
    assert len(house.hits()) == 11


def test_one_address_is_the_clients_behind_a_proxy(
    settings: Settings, house: House, key: str, redis: Redis
) -> None:
    with limited(settings, Settings(address_rate=1, queue_percent=0)) as collector:
        with full(redis):
            away = collector.post(key, TEN, X_Forwarded_For="2001:db8::1")
            assert said(away) == refused(Refusal.QUEUE_AWAY)
        assert collector.post(key, TEN, X_Forwarded_For="2001:db8::1").status_code == 204
        same = collector.post(key, GOOD, X_Forwarded_For="2001:db8::2")
        assert said(same) == refused(Refusal.ADDRESS_RATE)
        assert collector.post(key, GOOD, X_Forwarded_For="2001:db8:0:1::1").status_code == 204
        assert collector.post(key, GOOD).status_code == 204
    assert len(house.hits()) == 12


def test_connections_of_one_address(settings: Settings, key: str) -> None:
    with (
        limited(settings, Settings(address_connections=3)) as collector,
        ExitStack() as opened,
    ):
        for _ in range(3):
            one = opened.enter_context(connect(collector.port, STRANGER))
            one.sendall(ASK)
            assert raw.read(one).status == 200
        with connect(collector.port, STRANGER) as fourth:
            answer = raw.read(fourth)
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert answer.headers["access-control-allow-origin"] == "*"
            assert b'"connections"' in answer.body
            assert raw.is_closed(fourth)
        for _ in range(5):
            assert raw.send(collector.port, ASK).status == 200, "others are let in"
        opened.close()

        def lets_in() -> bool:
            with connect(collector.port, STRANGER) as one:
                one.sendall(ASK)
                return raw.read(one).status == 200

        until(lets_in, "their place is free again")


def test_connections_of_all(settings: Settings, key: str) -> None:
    app = make_app(replace(settings, connections=2))
    with houses.running(app) as collector:
        with raw.connect(collector.port) as first, raw.connect(collector.port) as second:
            for one in (first, second):
                one.sendall(ASK)
                assert raw.read(one).status == 200
            with raw.connect(collector.port) as third:
                assert raw.read(third).status == 503
        until(lambda: collector.post(key, GOOD).status_code == 204, "there is room again")
        assert app.state.intake.refused[Refusal.CONNECTIONS] >= 1


def talk(deaf: socket.socket, many: bytes) -> None:
    for _ in range(MOST_UNREAD // len(many)):
        deaf.sendall(many)


@pytest.mark.parametrize("first", ["refused", "waits"])
def test_who_reads_no_answers_is_heard_no_more(settings: Settings, key: str, first: str) -> None:
    one = b'POST /v1/%b HTTP/1.1\r\nContent-Length: 12\r\n\r\n{"hits":[0]}' % key.encode()
    with (
        limited(settings, Settings(snippet_rate=1)) as collector,
        connect(collector.port, STRANGER) as deaf,
    ):
        if first == "refused":
            assert collector.post(key, HUNDRED).status_code == 204
        deaf.settimeout(2)
        with pytest.raises((TimeoutError, ConnectionError)):
            talk(deaf, one * 1000)
        assert collector.http.get("/health/alive").status_code == 200


@contextmanager
def only_connection(
    settings: Settings, protocol: type[HitsProtocol], rest: float
) -> Iterator[tuple[Collector, socket.socket]]:
    """A collector of one connection, that rests for so many seconds, and it."""
    app = make_app(replace(settings, connections=1))
    with (
        houses.running(app, http=protocol, timeout_keep_alive=rest) as collector,
        socket.socket() as deaf,
    ):
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", collector.port))
        yield collector, deaf


class Impatient(HitsProtocol):
    """Its answers are soon more than the system keeps for the other side."""

    request_seconds = 0.3

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        super().connection_made(transport)


LAST_WORDS = {
    "rests": b"",
    "begins another": ASK[:20],
    "says that it is the last": ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    "says no more of HTTP": b"\x16\x03\x01\r\n\r\n",
    "asks for more than it holds": raw.head(f"GET {PATH}") * 30,
}


@pytest.mark.parametrize("last", LAST_WORDS.values(), ids=LAST_WORDS)
def test_who_reads_no_answers_is_cut_off(settings: Settings, key: str, last: bytes) -> None:
    with only_connection(settings, Impatient, rest=0.2) as (collector, deaf):
        deaf.sendall(ASK)
        until(lambda: deaf.recv(1), "it has the only connection")
        with suppress(ConnectionError):  # On a busy machine it may be cut off by now.
            deaf.sendall(raw.head(f"GET {PATH}") * 20)
            deaf.sendall(last)
        until(lambda: collector.http.get("/health/alive").status_code == 200, "there is room", 20)


def test_requests_that_come_one_after_the_other_are_not_one_head(
    settings: Settings, house: House, key: str
) -> None:
    body = TEN + b" " * 10_000
    one = raw.head(f"POST /v1/{key}", f"Content-Length: {len(body)}") + body
    most = 10
    with (
        houses.running(make_app(settings)) as collector,
        raw.connect(collector.port) as connection,
    ):
        connection.sendall(one * most + one[:20])
        connection.sendall(one[20:-1])
        connection.sendall(one[-1:])
        answers = b""
        while answers.count(b"HTTP/1.1 204") <= most:
            answers += connection.recv(65_536) or pytest.fail("it ended")
    assert len(house.hits()) == 10 * (most + 1)


def test_connections_that_say_nothing_more_are_closed(settings: Settings, key: str) -> None:
    with (
        houses.running(make_app(settings), timeout_keep_alive=0.2) as collector,
        raw.connect(collector.port) as idle,
    ):
        for _ in range(2):
            body = raw.head(f"POST /v1/{key}", f"Content-Length: {len(GOOD)}") + GOOD
            idle.sendall(body)
            assert raw.read(idle).status == 204
        assert raw.is_closed(idle)


def test_line_ends_between_requests_do_not_keep_a_connection(
    settings: Settings, house: House, key: str
) -> None:
    options = {"timeout_keep_alive": 1}
    with (
        houses.running(make_app(settings), **options) as collector,
        raw.connect(collector.port) as resting,
        raw.connect(collector.port) as refused_early,
    ):
        resting.sendall(ASK)
        resting.recv(65_536)
        resting.sendall(b"\r\n")
        line = raw.head(f"POST /v1/{key}", "Content-Length: 1000000")
        refused_early.sendall(line + bytes(500_000))
        refused_early.recv(65_536)
        refused_early.sendall(bytes(250_000))
        refused_early.sendall(bytes(250_000))
        assert raw.is_closed(resting)
        assert raw.is_closed(refused_early)


class Patient(HitsProtocol):
    """It stops writing at 20 kB, and goes on below 12 kB."""

    request_seconds = 2
    last: "Patient"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        transport.set_write_buffer_limits(20_000, 12_000)
        super().connection_made(transport)
        Patient.last = self


def test_who_reads_but_a_part_of_the_last_answers_is_cut_off(settings: Settings, key: str) -> None:
    with only_connection(settings, Patient, rest=0.3) as (collector, deaf):
        until(lambda: hasattr(Patient, "last"), "it is let in")
        for number in range(1, 100):
            deaf.sendall(raw.head(f"GET {PATH}"))
            until(lambda number=number: Patient.last.server_state.total_requests == number)  # type: ignore[misc]
            if Patient.last.flow.write_paused:
                break
        until(Patient.last.transport.is_closing, "it rests for too long")
        while Patient.last.flow.write_paused:
            deaf.recv(100)
        until(lambda: collector.http.get("/health/alive").status_code == 200, "there is room", 20)
