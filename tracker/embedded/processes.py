"""One child process: it can't outlive us, is awaited until it is ready, and is stopped in steps."""

import asyncio
import ctypes
import fcntl
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tracker.embedded.errors import PartError
from tracker.embedded.layout import Account

_PR_SET_PDEATHSIG = 1
_POLL = 0.05
_HURRIED_PATIENCE = 5.0
_LOG_LIMIT = 20_000_000
# Loaded here because nothing may be loaded between fork and exec.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Part:
    """A process that belongs to Pintag, and how to start and stop it."""

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str]
    account: Account | None = None
    stops: int = 0  # parts stop in this order, those with the same number together
    stop_signal: int = signal.SIGTERM
    hurry_signal: int = signal.SIGKILL
    death_signal: int = signal.SIGKILL  # what it gets when we die
    patience: float = 30.0  # seconds between the stop signal and the next one
    startup: float = 60.0  # seconds until it must be ready
    try_again: Callable[[str], bool] = lambda _log: False  # after a failed start, given its log
    lock: Path | None = None  # held as long as the process lives, even if we don't
    descriptors: tuple[int, ...] = ()  # handed over to it, under the same numbers


def die_with_parent(signal_number: int) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel signals the child when its parent is gone (Linux only).

    It belongs after a change of user, which clears it; Popen(user=…) keeps that order. "Parent"
    is the thread that starts the child: start children from a thread that stays.
    """
    if _libc is None:
        return None
    prctl, parent = _libc.prctl, os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask_kernel


class Child:
    """A part's process, and after a restart its next one."""

    def __init__(self, part: Part, log: Path | None) -> None:
        self.part = part
        self.log = log  # None: what it says goes where ours does
        self._process: Process | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    @property
    def last_pid(self) -> int:
        """The process id of what runs, or ran last."""
        assert self._process is not None
        return self._process.pid

    async def launch(self) -> None:
        """Start it, and wait until it is ready. Raises PartError."""
        deadline = _now() + self.part.startup
        while True:
            await self._start(deadline)
            try:
                return await self._until_ready(deadline)
            except PartError as failure:
                if _now() > deadline or not self.part.try_again(failure.log):
                    raise
                await asyncio.sleep(_POLL)

    async def finish(self) -> None:
        """Run a command to its end. Raises PartError where that isn't a good one."""
        await self._start(_now() + self.part.startup)
        try:
            if await self.wait() != 0:
                raise self._failure(self.how_it_ended())
        finally:
            self._send(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end; the exit code is negative for a signal."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self, hurry: asyncio.Event) -> None:
        """Ask it to stop; insist when it takes too long or there is a hurry."""
        self._send(self.part.stop_signal)
        if await self._ends_within(self.part.patience, hurry):
            return
        self._send(self.part.hurry_signal)
        if await self._ends_within(_HURRIED_PATIENCE, asyncio.Event()):
            return
        self._send(signal.SIGKILL)
        await self.wait()

    def how_it_ended(self) -> str:
        """For people: "ended by signal 9"."""
        code = self._process.returncode if self._process else None
        if code is None:
            return "has not ended"
        return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"

    async def _start(self, deadline: float) -> None:
        options: dict[str, Any] = {}
        if account := self.part.account:
            options = {"user": account.uid, "group": account.gid, "extra_groups": [], "cwd": "/"}
        lock = await self._take_lock(deadline)
        try:
            with self._open_log() as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self.part.command,
                    stdin=DEVNULL,
                    stdout=log,
                    stderr=STDOUT if log else None,
                    env=self.part.environment,
                    pass_fds=(*lock, *self.part.descriptors),
                    start_new_session=True,  # so that a terminal's Ctrl-C doesn't reach it
                    preexec_fn=die_with_parent(self.part.death_signal),
                    **options,
                )
        except OSError as error:
            raise PartError(f"{self.part.name} can't be started: {error}") from error
        finally:
            for descriptor in lock:
                os.close(descriptor)

    async def _until_ready(self, deadline: float) -> None:
        while not (await self.part.is_ready() and self.pid):
            if not self.pid:
                raise self._failure(self.how_it_ended())
            if _now() > deadline:
                self._send(signal.SIGKILL)
                await self.wait()
                raise self._failure(f"was not ready within {self.part.startup:.0f} s")
            with suppress(TimeoutError):  # a pause that ends early when the process does
                await asyncio.wait_for(self.wait(), _POLL)

    async def _take_lock(self, deadline: float) -> tuple[int, ...]:
        """An open, locked file for the child to inherit: it stays locked until the child ends."""
        if self.part.lock is None:
            return ()
        descriptor = os.open(self.part.lock, os.O_RDWR | os.O_CREAT, 0o600)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return (descriptor,)
            except BlockingIOError:
                if _now() > deadline:
                    os.close(descriptor)
                    raise self._failure("still runs from an earlier time; end it first") from None
                await asyncio.sleep(_POLL)

    async def _ends_within(self, seconds: float, hurry: asyncio.Event) -> bool:
        tasks = {asyncio.create_task(self.wait()), asyncio.create_task(hurry.wait())}
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        return self.pid is None

    def _send(self, signal_number: int) -> None:
        if pid := self.pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal_number)

    def _open_log(self) -> AbstractContextManager[IO[bytes] | None]:
        if self.log is None:
            return nullcontext()
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        log = self.log.open("ab")
        self._log_start = log.tell()
        return log

    def _failure(self, what: str) -> PartError:
        if self.log is None:
            return PartError(f"{self.part.name} {what}")
        with suppress(OSError), self.log.open("rb") as log:
            log.seek(self._log_start)
            text = log.read(1_000_000).decode(errors="replace")
            tail = "".join(f"\n    {line}" for line in text.splitlines()[-8:])
            return PartError(f"{self.part.name} {what}. Its log, {self.log}, ends:{tail}", text)
        return PartError(f"{self.part.name} {what}.")


def _now() -> float:
    return asyncio.get_running_loop().time()
