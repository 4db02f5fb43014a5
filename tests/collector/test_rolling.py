"""Collectors are replaced under load: nobody is refused, cut off or left without an answer."""

import http.client
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from tests.collector import house as houses
from tests.collector import raw
from tests.collector.house import House
from tests.collector.test_accepting import ANNA, envelope
from tests.collector.test_first_party import Proxy, caddy, nginx
from tests.collector.test_sharing import listeners, sending
from tests.embedded.waiting import descendants, kill, until, until_gone
from tracker import listening
from tracker.serving import LINGER_SECONDS
from tracker.settings import Settings
from tracker.stores import processes

GOOD = envelope(ANNA)
PAUSES = (0, 0, 0.001, 0.02, 0.1, 0.4)
"""Seconds that clients wait between two requests on one connection."""


class Client(threading.Thread):
    """Sends on one connection until it is told that it ends, then on the next; never again."""

    def __init__(self, port: int, path: str, pause: float, stop: threading.Event) -> None:
        super().__init__()
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._path, self._pause, self._stop_sending = path, pause, stop
        self.heard: list[int | str] = []

    def run(self) -> None:
        while not self._stop_sending.wait(self._pause):
            try:
                self._http.request("POST", self._path, GOOD)
                answer = self._http.getresponse()
                answer.read()
                self.heard.append(answer.status)
            except (OSError, http.client.HTTPException) as error:
                self.heard.append(repr(error))
                self._http.close()
        self._http.close()


@contextmanager
def load(port: int, key: str, path: str = "/v1") -> Iterator[list[list[int | str]]]:
    """What clients hear: those of all paces on kept connections, one on a new one each time."""
    stop = threading.Event()
    with sending(port, key, path) as one_by_one:
        clients = [Client(port, f"{path}/{key}", pause, stop) for pause in PAUSES]
        for client in clients:
            client.start()
        try:
            yield [one_by_one, *(client.heard for client in clients)]
        finally:
            stop.set()
            for client in clients:
                client.join(60)


@contextmanager
def notified() -> Iterator[tuple[socket.socket, str]]:
    """Where a process says that it is ready, and how to tell it so."""
    with (
        tempfile.TemporaryDirectory(prefix="pintag-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices,
    ):
        notices.bind(f"{folder}/notices")
        notices.settimeout(60)
        yield notices, f"{folder}/notices"


@contextmanager
def collectors(settings: Settings, count: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`pintag collector --processes`, and its port."""
    with (
        notified() as (notices, name),
        houses.process(settings, None, [f"--processes={count}"], NOTIFY_SOCKET=name) as (
            parent,
            port,
        ),
    ):
        assert notices.recv(100) == listening.READY
        try:
            yield parent, port
        finally:
            family = descendants(parent.pid)
            parent.kill()
            parent.wait()
            until_gone(*family)


def health(port: int) -> bool:
    return raw.send(port, raw.head("GET /health", "Connection: close")).status == 200


def post(port: int, key: str) -> raw.Answer:
    """One hit on a connection of its own."""
    head = raw.head(f"POST /v1/{key}", f"Content-Length: {len(GOOD)}", "Connection: close")
    return raw.send(port, head + GOOD)


def ask(kept: http.client.HTTPConnection, key: str) -> tuple[int, str | None]:
    """Send a hit on a kept connection; the status, and what becomes of the connection."""
    kept.request("POST", f"/v1/{key}", GOOD)
    answer = kept.getresponse()
    answer.read()
    return answer.status, answer.getheader("Connection")


def roll(parent: subprocess.Popen[bytes]) -> None:
    """Replace all, and wait until the last of the old ones is gone."""
    old = descendants(parent.pid) - {parent.pid}
    parent.send_signal(signal.SIGHUP)
    until_gone(*old)


def test_a_rolling_restart_is_noticed_by_nobody(settings: Settings, house: House, key: str) -> None:
    with collectors(settings, 1) as (parent, port), load(port, key) as heard:
        roll(parent)
        counts = [len(one) for one in heard]
        until(lambda: all(len(one) > n + 2 for one, n in zip(heard, counts, strict=True)))
        assert parent.poll() is None
    assert {answer for one in heard for answer in one} == {204}
    assert len(house.hits()) == sum(map(len, heard))


@pytest.mark.slow
def test_nor_are_many_in_a_row(settings: Settings, house: House, key: str) -> None:
    with collectors(settings, 2) as (parent, port), load(port, key) as heard:
        for _ in range(4):
            roll(parent)
    assert {answer for one in heard for answer in one} == {204}
    assert len(house.hits()) == sum(map(len, heard))


@pytest.mark.slow
@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_nor_through_a_web_server(
    settings: Settings, house: House, key: str, tmp_path: Path, proxy: Proxy
) -> None:
    with (
        collectors(settings, 2) as (parent, behind),
        proxy(tmp_path, behind, True) as port,
        load(port, key, "/pt/v1") as heard,
    ):
        for _ in range(2):
            roll(parent)
    assert {answer for one in heard for answer in one} == {204}
    assert len(house.hits()) == sum(map(len, heard))


@pytest.mark.slow
def test_who_connects_while_none_runs_is_answered_by_the_next(settings: Settings, key: str) -> None:
    with collectors(settings, 1) as (parent, port):
        killed = descendants(parent.pid) - {parent.pid}
        kill(*killed)
        assert post(port, key).status == 204
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(60) == 0
        assert not listeners(port)


@pytest.mark.slow
def test_who_watches_hears_of_one_that_died(settings: Settings, redis: Redis, key: str) -> None:
    with collectors(settings, 1) as (parent, _):
        kill(*descendants(parent.pid) - {parent.pid})
        until(lambda: processes.errors(redis, time.time_ns() // 1_000_000), "it is told", 10)
        [warning, *_] = processes.errors(redis, time.time_ns() // 1_000_000)
        assert warning.words == "collector 1 ended by signal 9; it is started again"


def test_collectors_end_with_their_parent(settings: Settings, key: str) -> None:
    with collectors(settings, 1) as (parent, _):
        family = descendants(parent.pid)
        parent.kill()
        parent.wait()
        until_gone(*family)


# -- one collector


def test_who_is_told_to_stop_sees_its_clients_off(settings: Settings, key: str) -> None:
    half = len(GOOD) // 2
    with houses.process(settings) as (process, port), raw.connect(port) as slow:
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        assert ask(kept, key) == (204, None)
        slow.sendall(raw.head(f"POST /v1/{key}", f"Content-Length: {len(GOOD)}") + GOOD[:half])
        process.send_signal(signal.SIGTERM)
        until(lambda: not listeners(port), "it takes no more connections")
        assert ask(kept, key) == (204, "close")
        slow.sendall(GOOD[half:])
        answer = raw.read(slow)
        assert (answer.status, answer.headers["connection"]) == (204, "close")
        assert process.wait(60) == -signal.SIGTERM


def test_ctrl_c_waits_for_answers_alone(settings: Settings, key: str) -> None:
    with houses.process(settings) as (process, port), raw.connect(port) as silent:
        until(lambda: health(port), "it takes hits")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert raw.is_closed(silent)
        assert time.monotonic() - began < LINGER_SECONDS
        assert process.wait(60) == 0


@pytest.mark.slow
def test_who_says_nothing_is_left_in_the_end(settings: Settings) -> None:
    with houses.process(settings) as (process, port), raw.connect(port) as silent:
        process.send_signal(signal.SIGTERM)
        until(lambda: not listeners(port), "it takes no more connections")
        assert raw.is_closed(silent)
        assert process.wait(60) == -signal.SIGTERM
