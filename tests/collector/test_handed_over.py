"""Sockets by systemd's protocol: they are kept open by whoever hands them over."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.collector import raw
from tests.collector.house import House
from tests.collector.test_rolling import GOOD, notified, post
from tests.embedded.waiting import until
from tracker import listening
from tracker.settings import Settings, SettingsError

FIRST = 3


@contextmanager
def activated(
    settings: Settings, kept: socket.socket, *command: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process as systemd starts it: the socket is descriptor 3; it does not outlive the block."""
    variables = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PINTAG_SECRET_KEY": "s" * 32,
        "LISTEN_FDS": "1",
    }
    as_systemd = f'export LISTEN_PID=$$; exec "$@" {FIRST}<&0'
    with notified() as (notices, name):
        process = subprocess.Popen(
            ["sh", "-c", as_systemd, "sh", sys.executable, "-m", "tracker.cli", *command],
            env={**os.environ, **variables, "NOTIFY_SOCKET": name},
            stdin=kept.fileno(),
        )
        try:
            assert notices.recv(100) == listening.READY
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def kept() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as kept:
        yield kept


def answered(web: http.client.HTTPConnection) -> tuple[int, str | None]:
    """The status of a request, and what becomes of its connection."""
    web.request("GET", "/health/alive")
    answer = web.getresponse()
    answer.read()
    return answer.status, answer.getheader("Connection")


def test_a_connection_that_nobody_accepted_is_the_next_collectors(
    settings: Settings, key: str, kept: socket.socket
) -> None:
    port = kept.getsockname()[1]
    with activated(settings, kept, "collector"):
        assert post(port, key).status == 204
    with raw.connect(port) as early:
        early.sendall(raw.head("GET /health/alive", "Connection: close"))
        with activated(settings, kept, "collector"):
            assert raw.read(early).status == 200
            assert post(port, key).status == 204


@pytest.mark.slow
def test_a_parent_of_collectors_and_the_web_process_take_them_too(
    settings: Settings, key: str, kept: socket.socket
) -> None:
    port = kept.getsockname()[1]
    with activated(settings, kept, "collector", "--processes=2"):
        assert post(port, key).status == 204
    with activated(settings, kept, "web") as process:
        web = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        assert answered(web) == (200, None)
        process.send_signal(signal.SIGTERM)
        # It says that this is the connection's last answer, as it is stopping.
        until(lambda: answered(web) == (200, "close"), "the web process sees its clients off")
        assert process.wait(60) == -signal.SIGTERM


def test_what_is_no_tcp_socket_is_refused() -> None:
    with (
        socket.socket(socket.AF_UNIX) as wrong,
        pytest.raises(SettingsError, match="is no TCP socket"),
    ):
        listening.sockets("collector", "127.0.0.1", 0, [os.dup(wrong.fileno())])


def test_what_is_meant_for_another_process_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", "1")
    [own] = listening.sockets("collector", "127.0.0.1", 0)
    with own:
        assert own.fileno() != FIRST


def test_who_does_not_listen_to_notices_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with notified() as (_, name):
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        for _ in range(1000):
            listening.tell(listening.READY)


def test_a_proxy_is_believed_at_a_socket_for_both_kinds_of_addresses(
    settings: Settings, house: House, key: str
) -> None:
    """Systemd makes one of a bare port."""
    house.keep_addresses("whole")
    headers = (f"Content-Length: {len(GOOD)}", "X-Forwarded-For: 203.0.113.9")
    hit = raw.head(f"POST /v1/{key}", *headers) + GOOD
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as kept,
        activated(settings, kept, "collector"),
    ):
        assert raw.send(kept.getsockname()[1], hit).status == 204
    assert [sender.address for sender in house.senders()] == ["203.0.113.9"]
