"""`pintag up`: what it starts, says and leaves, and whom it refuses."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.collector.test_rolling import notified
from tests.embedded.waiting import descendants, is_alive, kill, until, until_gone
from tests.whole.installation import CLEAN, command, free_ports, read_state, up
from tracker import listening
from tracker import settings as all_settings
from tracker.cli import running
from tracker.cli.running import StateFile
from tracker.embedded import EmbeddedError
from tracker.settings import Settings, SettingsError

PARTS = {"valkey", "postgres", "web", "collector", "worker", "jobs"}


def refused(data: Path, port: int) -> str:
    """What an `up` says that must not start."""
    done = subprocess.run(
        command(data, port), capture_output=True, text=True, env=CLEAN, timeout=180, check=False
    )
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    return done.stderr


def test_up_from_nothing_to_ctrl_c(data_dir: Path) -> None:
    port = free_ports()
    with (
        notified() as (notices, name),
        up(data_dir, port, environment={"NOTIFY_SOCKET": name}) as process,
    ):
        assert notices.recv(100) == listening.READY
        state = read_state(data_dir)
        assert state["pid"] == process.pid
        assert (state["web"], state["collector"]) == (
            f"http://127.0.0.1:{port}",
            f"http://127.0.0.1:{port + 1}",
        )
        assert set(state["processes"]) == PARTS
        assert all(map(is_alive, state["processes"].values()))
        assert (data_dir / "up.json").stat().st_mode & 0o777 == 0o600
        family = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        notices.setblocking(False)
        with pytest.raises(BlockingIOError):  # none of its parts has spoken for it
            notices.recv(100)
    until_gone(*family)
    assert not (data_dir / "up.json").exists()
    assert "nothing runs any more" in (data_dir / "screen.txt").read_text()


@pytest.mark.slow
def test_a_second_up_is_refused(data_dir: Path) -> None:
    port = free_ports()
    with up(data_dir, port) as process:
        said = refused(data_dir, free_ports())
        assert f"(pid {process.pid}, address http://127.0.0.1:{port})" in said
        assert process.poll() is None


@pytest.mark.slow
def test_a_killed_part_returns_under_a_new_number(data_dir: Path) -> None:
    with up(data_dir, free_ports()):
        before = read_state(data_dir)["processes"]
        kill(before["worker"])
        until(lambda: read_state(data_dir)["processes"].get("worker") != before["worker"])
        after = read_state(data_dir)["processes"]
        assert {name for name in PARTS if before[name] != after[name]} == {"worker"}
        screen = (data_dir / "screen.txt").read_text()
        assert "worker ended by signal 9; started again" in screen


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
@pytest.mark.slow
def test_kill_9_leaves_nothing_and_the_next_up_recovers(data_dir: Path) -> None:
    port = free_ports()
    with up(data_dir, port) as process:
        family = descendants(process.pid)
        process.kill()
        until_gone(*family)
    (data_dir / "up.json").rename(data_dir / "stale.json")  # `up` below waits for a new one
    with up(data_dir, port):
        assert set(read_state(data_dir)["processes"]) == PARTS


def test_a_taken_port_is_named(data_dir: Path) -> None:
    port = free_ports()
    for taken, name in ((port, "web"), (port + 1, "collector")):
        with socket.socket() as other:
            other.bind(("127.0.0.1", taken))
            other.listen()
            said = refused(data_dir, port)
        assert f"Port {taken}, meant for the {name} process, is not free" in said
        assert f"pintag up --port {port + 100}" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for PostgreSQL")
def test_a_folder_that_postgres_cannot_reach(data_dir: Path) -> None:
    private = data_dir / "private"
    private.mkdir(mode=0o700)
    said = refused(private / "data", free_ports())
    assert "who can't enter" in said
    assert "--data /var/lib/pintag" in said


def test_up_json_is_private_and_feeds_load(data_dir: Path) -> None:
    found = running.settings_for(9000, data_dir, {"REDIS_URL": "redis://r", "PINTAG_BATCH": "7"})
    state = StateFile(data_dir)
    state.update({"web": 1})
    assert not state.path.exists()
    state.create(found, {"web": 1}, {"client_secret": "k"}, "link")
    assert state.path.stat().st_mode & 0o777 == 0o600
    state.update({"web": 2})
    assert read_state(data_dir)["processes"] == {"web": 2}
    assert all_settings.load({"PINTAG_DATA": str(data_dir)}) == found


def test_the_collectors_port_follows_the_web_process(data_dir: Path) -> None:
    def ports(port: int | None, **environ: str) -> tuple[int, int]:
        found = running.settings_for(port, data_dir, environ)
        return found.web_port, found.collector_port

    assert ports(None) == (8700, 8701)
    assert ports(9000) == (9000, 9001)
    assert ports(None, PINTAG_WEB_PORT="9000") == (9000, 9001)
    assert ports(9000, PINTAG_COLLECTOR_PORT="80") == (9000, 80)
    with pytest.raises(SettingsError):
        ports(65535)


def test_passwords_stay_off_the_screen() -> None:
    assert running.masked("postgresql://u:secret@h/db") == "postgresql://u:…@h/db"
    assert running.masked("redis://:secret@h") == "redis://:…@h"
    assert "secret" not in running.masked("postgresql:///db?user=u&password=secret&x=1")


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_of_another_machine_is_named(host: str) -> None:
    wrong = Settings(web_port=free_ports(), collector_host=host, collector_port=free_ports())
    with pytest.raises(EmbeddedError) as refusal:
        running.check_ports(wrong)
    assert f"{host!r} is no address of this machine (" in str(refusal.value)
    assert "Mend PINTAG_COLLECTOR_HOST" in str(refusal.value)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EADDRINUSE, "is not free ("),
        (errno.EACCES, "ports below 1024"),
        (errno.EMFILE, "can't be used ("),
    ],
)
def test_why_a_port_cannot_be_had(number: int, says: str) -> None:
    said = running.why_not(OSError(number, os.strerror(number)))
    assert says in said
    assert os.strerror(number) in said


def test_a_lock_is_free_again_after_its_holder(data_dir: Path) -> None:
    refusal = pytest.raises(EmbeddedError, match=f"pid {os.getpid()}, it is starting")
    with running.exclusive(data_dir), refusal, running.exclusive(data_dir):
        pass
    with running.exclusive(data_dir):
        pass


@pytest.mark.slow
def test_servers_of_ones_own_in_an_empty_folder(data_dir: Path, settings: Settings) -> None:
    own = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    with up(data_dir, free_ports(), environment=own) as process:
        state = read_state(data_dir)
        assert set(state["processes"]) == PARTS - {"valkey", "postgres"}
        assert own.items() <= state["environment"].items()
        screen = (data_dir / "screen.txt").read_text()
        assert "PostgreSQL and Valkey" not in screen
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
