"""The faults: each strikes, lasts a while, and is mended, whatever happens meanwhile."""

import asyncio
import fcntl
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from tests.chaos import chores
from tests.chaos.ledger import Ledger
from tests.chaos.links import Cut
from tests.chaos.site import COLLECTORS, LOGS, PROCESSES, SERVERS, WORKERS, Site
from tests.embedded.waiting import descendants
from tracker.stores import hit_queue

_POLL = 0.05
_SPARE = 400_000  # bytes that Redis may still use when it is run into its limit
_OVER = 150_000  # and by which it is over that in the end: not even the smallest write is taken
_PATIENCE = 60.0
_OFTEN = 0.01  # seconds: a request takes a few milliseconds
TIMES_AT_WORK = 3
SKEWS = (-3600, -90, 90, 3600)


class ChaosError(Exception):
    """Something that must never happen did."""


@dataclass(frozen=True, slots=True)
class Fault:
    """touches: the parts that it is about; no other fault may be about them at the same time."""

    name: str
    touches: frozenset[str]
    strike: Callable[[Site, Ledger], Awaitable[None]]


EVERYTHING = frozenset((*SERVERS, *PROCESSES))


def deck(
    dice: random.Random, with_disks: bool, with_clocks: bool, only: str = ""
) -> Iterator[list[Fault]]:
    """Faults without end, sometimes two at once, in an order that the dice alone decide."""
    while True:
        faults = [
            fault for fault in all_faults(dice, with_disks, with_clocks) if only in fault.name
        ]
        if not faults:
            raise ChaosError(f"No fault is called {only!r}.")
        dice.shuffle(faults)
        while faults:
            struck = [faults.pop()]
            if faults and dice.random() < 0.3 and not (struck[0].touches & faults[-1].touches):
                struck.append(faults.pop())
            yield struck


def all_faults(dice: random.Random, with_disks: bool, with_clocks: bool) -> list[Fault]:
    """Each fault once; where there are two of a kind, of one of them."""
    parts = ("web", dice.choice(COLLECTORS), dice.choice(WORKERS), "jobs", *SERVERS)
    faults = [
        Fault(f"{verb} {part}", frozenset({part}), partial(strike, part, dice.uniform(1, 7)))
        for verb, strike in (("kill", kill), ("pause", pause), ("restart", restart))
        for part in parts
    ]
    busy = frozenset({"jobs", *SERVERS})
    for _ in range(TIMES_AT_WORK):
        kill_them = partial(kill_jobs_at_work, dice.uniform(0, 0.6))
        faults.append(Fault("kill jobs at work", busy, kill_them))
    faults += [_cut(dice, how, server) for how in Cut for server in SERVERS]
    faults += [
        Fault("cut senders off", frozenset(COLLECTORS), partial(cut_senders, dice.uniform(1, 5))),
        Fault("memory limit", EVERYTHING, run_into_memory_limit),
        Fault("kill everything", EVERYTHING, kill_everything),
        Fault("restart everything", EVERYTHING, restart_everything),
        Fault("rolling restart", EVERYTHING, rolling_restart),
    ]
    if with_clocks:
        faults += [_skew(dice, part) for part in parts]
    if with_disks:
        for name in SERVERS:
            fill = partial(fill_disk, name, dice.uniform(3, 7))
            faults.append(Fault(f"full disk {name}", frozenset({name}), fill))
            faults.append(Fault(f"power cut {name}", frozenset({name}), partial(cut_power, name)))
        faults.append(Fault("full disk of all logs", EVERYTHING, fill_disk_of_logs))
    return faults


# -- processes


async def kill(part: str, _seconds: float, site: Site, _ledger: Ledger) -> None:
    """kill -9; of PostgreSQL its first process, of whose end the others hear."""
    _signal(signal.SIGKILL, site.pids.get(part))


async def restart(part: str, _seconds: float, site: Site, _ledger: Ledger) -> None:
    """Ask it to stop in good order, and wait until it has."""
    pid = site.pids.get(part)
    _signal(site.parts[part].stop_signal, pid)
    await _until(lambda: site.pids.get(part) != pid, f"{part} stops when it is asked to")


async def pause(part: str, seconds: float, site: Site, _ledger: Ledger) -> None:
    """Stop a process, and those it started, in the middle of whatever they do."""
    paused = _family(site, part)
    _signal(signal.SIGSTOP, *paused)
    try:
        await asyncio.sleep(seconds)
    finally:
        _signal(signal.SIGCONT, *paused)


async def kill_everything(site: Site, _ledger: Ledger) -> None:
    _signal(signal.SIGKILL, *(pid for part in site.pids for pid in _family(site, part)))


async def restart_everything(site: Site, _ledger: Ledger) -> None:
    await site.stop()
    await site.start_again()


async def rolling_restart(site: Site, ledger: Ledger) -> None:
    """Collectors and workers, one after the other: every request gets its 204 at the first try."""
    before = ledger.answers.copy()
    for name in (*COLLECTORS, *WORKERS):
        await site.replace(name)
    others = {answer: n for answer, n in (ledger.answers - before).items() if answer != "204"}
    if others:
        raise ChaosError(f"a rolling restart was noticed: {others}")


async def kill_jobs_at_work(after: float, site: Site, ledger: Ledger) -> None:
    """kill -9 somewhere in the middle of a replay, an erasure, or retention."""
    await asyncio.to_thread(chores.ask, site.settings, ledger)
    await asyncio.sleep(after)
    await kill("jobs", 0, site, ledger)


# -- clocks


def _skew(dice: random.Random, part: str) -> Fault:
    skew = partial(put_clock, part, dice.choice(SKEWS), dice.uniform(1, 7))
    return Fault(f"clock of {part}", frozenset({part}), skew)


async def put_clock(part: str, off: int, seconds: float, site: Site, _ledger: Ledger) -> None:
    """The wall clock of a process jumps, and jumps back."""
    site.clocks[part].put(off)
    try:
        await asyncio.sleep(seconds)
    finally:
        site.clocks[part].put(0)


# -- the network


def _cut(dice: random.Random, how: Cut, server: str) -> Fault:
    clients = dice.choice([PROCESSES, PROCESSES, COLLECTORS, WORKERS, *((p,) for p in PROCESSES)])
    who = "all" if clients == PROCESSES else " ".join(clients)
    strike = partial(cut, how, clients, server, dice.uniform(1, 9))
    return Fault(f"cut {how} {server} from {who}", frozenset({server, *clients}), strike)


async def cut(
    how: Cut, clients: Iterable[str], server: str, seconds: float, site: Site, _ledger: Ledger
) -> None:
    links = [site.links[client, server] for client in clients]
    for link in links:
        link.cut(how)
    try:
        await asyncio.sleep(seconds)
    finally:
        for link in links:
            link.mend()


async def cut_senders(seconds: float, site: Site, _ledger: Ledger) -> None:
    """Connections to collectors are reset again and again, some before their answer has come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for sender in site.senders:
            sender.hang_up()
        await asyncio.sleep(_OFTEN)


# -- disks and memory


async def fill_disk(server: str, seconds: float, site: Site, _ledger: Ledger) -> None:
    disk = site.disks[server]
    await asyncio.to_thread(disk.fill)
    try:
        await asyncio.sleep(seconds)
    finally:
        disk.free()


async def fill_disk_of_logs(site: Site, ledger: Ledger) -> None:
    """While no line can be written, all lose both servers, of which they have much to say.

    It has room again only after hits were taken again.
    """
    disk = site.disks[LOGS]
    await asyncio.to_thread(disk.fill)
    try:
        await cut(Cut.DROPPED, PROCESSES, "postgres", 2, site, ledger)
        await cut(Cut.DROPPED, PROCESSES, "valkey", 2, site, ledger)
        taken = ledger.answers["204"]
        await _until(lambda: ledger.answers["204"] > taken + 100, "hits are taken, and not told of")
    finally:
        disk.free()


async def cut_power(server: str, site: Site, _ledger: Ledger) -> None:
    """The server ends in the middle of everything, and so does its disk."""
    lock = os.open(site.lock(server), os.O_RDWR)
    try:
        async with asyncio.timeout(_PATIENCE):
            while not _locked(lock):
                _signal(signal.SIGKILL, *_family(site, server))
                await asyncio.sleep(0)
        site.disks[server].lose_power()
    finally:
        os.close(lock)


async def run_into_memory_limit(site: Site, ledger: Ledger) -> None:
    """Redis refuses hits while workers are paused; they must be able to empty it as full as it is.

    The limit is lifted only after hits are taken again.
    """
    workers = [pid for name in WORKERS for pid in _family(site, name)]
    with hit_queue.connect(site.settings.redis_url) as client:
        limit = int(client.config_get("maxmemory")["maxmemory"])
        refused = ledger.answers["503"]
        _signal(signal.SIGSTOP, *workers)
        try:
            used = int(client.info("memory")["used_memory"])
            client.config_set("maxmemory", used + _SPARE)
            await _until(lambda: ledger.answers["503"] > refused + 20, "a full Redis is refusing")
            client.config_set("maxmemory", int(client.info("memory")["used_memory"]) - _OVER)
            _signal(signal.SIGCONT, *workers)
            taken = ledger.answers["204"]
            await _until(lambda: ledger.answers["204"] > taken + 100, "a full Redis is emptied")
        finally:
            _signal(signal.SIGCONT, *workers)
            client.config_set("maxmemory", limit)


# -- what they share


async def _until(condition: Callable[[], object], what: str) -> None:
    """Raises ChaosError when it takes too long."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise ChaosError(f"not within {_PATIENCE:.0f} s: {what}")
        await asyncio.sleep(_POLL)


def _family(site: Site, part: str) -> set[int]:
    pid = site.pids.get(part)
    return descendants(pid) if pid else set()


def _signal(number: int, *pids: int | None) -> None:
    for pid in pids:
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
