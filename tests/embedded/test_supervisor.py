"""Processes are awaited, started again, stopped in order, and never outlive us."""

import asyncio
import errno
import math
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.embedded.waiting import descendants, is_alive, kill, until, until_gone
from tracker import embedded
from tracker.embedded import layout, postgres, probes
from tracker.embedded.errors import PartError
from tracker.embedded.processes import Part
from tracker.embedded.supervisor import Supervisor

# Each announces itself in a file, so that nobody has to guess when it is there.
OBEDIENT = "open('{0}', 'a').write('started\\n'); import signal; signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "open('{0}', 'a').write('started\\n'); import time; time.sleep(600)"
)
NOTING = (
    "import signal, sys; "
    "signal.signal(signal.SIGTERM, lambda *_: (open('{0}.order', 'a').write('{1} '), sys.exit())); "
    "open('{0}', 'a').write('started\\n'); signal.pause()"
)


def part(tmp_path: Path, name: str, program: str, stops: int = 0) -> Part:
    note = tmp_path / name

    async def is_ready() -> bool:
        return note.exists()

    code = program.format(tmp_path / name if program != NOTING else note, name)
    return Part(name, (sys.executable, "-c", code), is_ready, dict(os.environ), stops=stops)


def supervise(
    tmp_path: Path, parts: Iterable[Part], body: Callable[[Supervisor], Awaitable[None]]
) -> list[str]:
    """Run `body` while the parts run, and return what was said to people."""
    said: list[str] = []

    async def run() -> None:
        supervisor = Supervisor(tmp_path, said.append)
        try:
            await supervisor.start(*parts)
            await body(supervisor)
        finally:
            await supervisor.stop()

    asyncio.run(run())
    return said


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


async def eventually(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(until, condition)


def test_a_part_is_kept_running_though_nobody_can_be_told(tmp_path: Path) -> None:
    """The screen may be a file, and up.json is one: their disk may be full."""

    def is_other(supervisor: Supervisor, pid: int) -> bool:
        return supervisor.pids.get("part") not in (None, pid)

    def cannot(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def run() -> None:
        supervisor = Supervisor(tmp_path, cannot, cannot)
        try:
            await supervisor.start(part(tmp_path, "part", OBEDIENT))
            for _ in range(2):
                pid = supervisor.pids["part"]
                os.kill(pid, signal.SIGKILL)
                again = partial(is_other, supervisor, pid)
                await asyncio.to_thread(until, again, "it is started again", 20)
        finally:
            await supervisor.stop()

    asyncio.run(run())


def test_a_killed_part_is_started_again(tmp_path: Path) -> None:
    pids: list[int] = []

    async def body(supervisor: Supervisor) -> None:
        pids.append(supervisor.pids["part"])
        os.kill(pids[0], signal.SIGKILL)
        await eventually(lambda: (tmp_path / "part").read_text() == "started\n" * 2)
        await eventually(lambda: supervisor.pids.get("part", pids[0]) != pids[0])
        pids.append(supervisor.pids["part"])

    said = supervise(tmp_path, [part(tmp_path, "part", OBEDIENT)], body)
    assert said[0] == "part ended by signal 9; started again"
    until_gone(*pids)


def test_who_wants_to_hears_what_died(tmp_path: Path) -> None:
    died: list[tuple[str, int, str]] = []

    async def run() -> None:
        supervisor = Supervisor(tmp_path, died=lambda *death: died.append(death))
        await supervisor.start(part(tmp_path, "part", OBEDIENT))
        pid = supervisor.pids["part"]
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: died)
        await supervisor.stop()
        assert died == [("part", pid, "ended by signal 9")]

    asyncio.run(run())


def test_a_part_that_keeps_dying_is_started_ever_more_rarely(tmp_path: Path) -> None:
    dying = Part("part", (sys.executable, "-c", "raise SystemExit(3)"), probes.started, {})
    said: list[str] = []

    async def run() -> None:
        supervisor = Supervisor(tmp_path, said.append)
        await supervisor.start(dying)
        await eventually(lambda: any("starting it again in" in line for line in said))
        await supervisor.stop()

    asyncio.run(run())
    assert "part ended with code 3; starting it again in 2 s" in "\n".join(said)


def test_a_part_that_dies_at_once_shows_its_log(tmp_path: Path) -> None:
    dying = part(tmp_path, "part", "raise SystemExit('no such thing')")

    async def body(supervisor: Supervisor) -> None:
        raise AssertionError

    with pytest.raises(PartError, match=r"part ended with code 1\. Its log(.|\n)*no such thing"):
        supervise(tmp_path, [dying], body)


def test_a_part_that_dies_at_once_ends_the_wait_for_others(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    late = replace(part(tmp_path, "late", OBEDIENT), is_ready=never, startup=math.inf)
    pids: list[int] = []

    async def run() -> None:
        supervisor = Supervisor(tmp_path)
        try:
            async with asyncio.timeout(20):
                await supervisor.start(late, part(tmp_path, "part", "raise SystemExit(3)"))
        finally:
            pids.extend(supervisor.pids.values())
            await supervisor.stop()

    with pytest.raises(PartError, match="part ended with code 3"):
        asyncio.run(run())
    until_gone(*pids)


def test_a_part_is_replaced_by_one_that_is_ready(tmp_path: Path) -> None:
    old = part(tmp_path, "part", OBEDIENT)

    async def body(supervisor: Supervisor) -> None:
        before = supervisor.pids["part"]
        await supervisor.replace(old)
        assert supervisor.pids["part"] != before
        until_gone(before)
        await eventually(lambda: (tmp_path / "part").read_text() == "started\n" * 2)

    assert supervise(tmp_path, [old], body) == []


def test_a_part_that_took_over_may_take_as_long_as_the_first_to_start_again(tmp_path: Path) -> None:
    probes_left = 0

    async def late() -> bool:
        nonlocal probes_left
        probes_left -= 1
        return probes_left < 0

    long = replace(part(tmp_path, "part", OBEDIENT), is_ready=late, startup=math.inf)

    async def body(supervisor: Supervisor) -> None:
        nonlocal probes_left
        await supervisor.replace(long, within=1)
        probes_left = 40  # of 50 ms
        os.kill(supervisor.pids["part"], signal.SIGKILL)
        await eventually(lambda: probes_left < 0)

    said = supervise(tmp_path, [long], body)
    assert not any("was not ready" in line for line in said)


@pytest.mark.parametrize("program", ["raise SystemExit(3)", STUBBORN])
def test_a_part_stays_where_the_next_does_not_get_ready(tmp_path: Path, program: str) -> None:
    async def never() -> bool:
        return False

    new = replace(part(tmp_path, "part", program), is_ready=never, startup=0.5)

    async def body(supervisor: Supervisor) -> None:
        before = supervisor.pids["part"]
        with pytest.raises(PartError):
            await supervisor.replace(new)
        assert supervisor.pids == {"part": before}
        assert is_alive(before)

    supervise(tmp_path, [part(tmp_path, "part", OBEDIENT)], body)


def test_one_whose_successor_is_ready_is_stopped_like_all_others(tmp_path: Path) -> None:
    old: list[int] = []

    async def body(supervisor: Supervisor) -> None:
        old.append(supervisor.pids["part"])
        replacing = asyncio.create_task(supervisor.replace(part(tmp_path, "part", STUBBORN)))
        await eventually(lambda: supervisor.pids["part"] not in old)
        replacing.cancel()
        supervisor.hurry.set()

    supervise(tmp_path, [part(tmp_path, "part", STUBBORN)], body)
    assert not is_alive(old[0])


def test_parts_stop_in_their_order(tmp_path: Path) -> None:
    parts = [part(tmp_path, name, NOTING, stops) for name, stops in (("c", 3), ("a", 0), ("b", 1))]

    async def body(supervisor: Supervisor) -> None:
        pass

    supervise(tmp_path, parts, body)
    order = sorted(tmp_path.glob("*.order"), key=lambda path: path.stat().st_mtime_ns)
    assert [path.stem for path in order] == ["a", "b", "c"]


def test_a_hurry_ends_even_the_stubborn(tmp_path: Path) -> None:
    pids: list[int] = []

    async def body(supervisor: Supervisor) -> None:
        pids.extend(supervisor.pids.values())
        supervisor.hurry.set()

    supervise(tmp_path, [part(tmp_path, "part", STUBBORN)], body)
    until_gone(*pids)


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
def test_kill_9_of_the_parent_leaves_no_orphans(data_dir: Path) -> None:
    program = (
        "import pathlib, signal, sys; from tracker import embedded\n"
        "with embedded.servers(pathlib.Path(sys.argv[1])):\n"
        "    print('ready', flush=True); signal.pause()"
    )
    command = [sys.executable, "-c", program, str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "ready\n"
        family = descendants(parent.pid)
        assert len(family) > 3
        parent.kill()
    until_gone(*family)
    with embedded.servers(data_dir) as servers:
        assert all(map(is_alive, servers.pids.values()))


def test_postgres_returns_though_a_session_of_the_killed_one_lingers(data_dir: Path) -> None:
    """ "pre-existing shared memory block": the old server's last process is stopped, not gone."""

    async def run() -> None:
        place = await asyncio.to_thread(layout.prepare, data_dir)
        supervisor = Supervisor(place.logs)
        await supervisor.start(await postgres.part(place))
        async with await psycopg.AsyncConnection.connect(postgres.url(place, "postgres")) as db:
            lingering = db.info.backend_pid
            os.kill(lingering, signal.SIGSTOP)
            kill(supervisor.pids["postgres"])
            log = place.logs / "postgres.log"
            await eventually(lambda: "pre-existing shared memory block" in log.read_text())
            kill(lingering)
        await eventually(lambda: answers(postgres.url(place, "postgres")))
        await supervisor.stop()

    asyncio.run(run())
