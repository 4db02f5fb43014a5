"""Collectors share a port: the system spreads connections, and a new one takes over from an old."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.collector import house as houses
from tests.collector import raw
from tests.collector.test_accepting import ANNA, envelope
from tests.embedded.waiting import until
from tracker.listening import bound
from tracker.settings import Settings, SettingsError

GOOD = envelope(ANNA)


@contextmanager
def sending(port: int, key: str, path: str = "/v1") -> Iterator[list[int | str]]:
    """What somebody hears who sends hit after hit, each on a connection of its own."""
    head = raw.head(f"POST {path}/{key}", f"Content-Length: {len(GOOD)}", "Connection: close")
    head = head.replace(b"Host: collector", b"Host: 127.0.0.1")  # by which web servers choose
    heard: list[int | str] = []
    stop = Event()

    def send() -> None:
        while not stop.is_set():
            try:
                heard.append(raw.send(port, head + GOOD).status)
            except OSError as error:
                heard.append(repr(error))

    sender = Thread(target=send)
    sender.start()
    try:
        yield heard
    finally:
        stop.set()
        sender.join(60)


def listeners(port: int) -> int:
    """How many sockets listen on a port of IPv4, as the kernel says."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


def test_a_new_one_takes_over(settings: Settings, key: str) -> None:
    port = houses.free_port()
    with (
        houses.process(settings, port) as (old, _),
        houses.process(settings, port) as (new, _),
        sending(port, key) as heard,
    ):
        until(lambda: listeners(port) == 2, "both listen")
        old.send_signal(signal.SIGTERM)
        assert old.wait(60) == -signal.SIGTERM
        before = len(heard)
        until(lambda: len(heard) > before + 20)
        assert new.poll() is None
        # What the old one was about to accept is reset; its sender tries again.
        assert "Refused" not in str(heard)
        assert set(heard[before + 1 :]) == {204}


def test_a_port_that_is_anothers_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"can't listen on 127.0.0.1, port {port}: Address"):
            bound("collector", "127.0.0.1", port)


def test_an_address_of_a_family_that_the_system_lacks_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    unknown = (200, socket.SOCK_STREAM, 0, "", ("::1", port))
    ours = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [unknown, ours])
    (one,) = bound("collector", "collector", port)
    assert one.getsockname() == ("127.0.0.1", port)
    one.close()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [unknown])
    with pytest.raises(SettingsError, match="not supported"):
        bound("collector", "collector", port)
