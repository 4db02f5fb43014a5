"""Waiting for conditions instead of sleeping; processes that a test starts and ends."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tracker.embedded.layout import postgres_account


def until(condition: Callable[[], object], what: str = "", seconds: float = 120) -> None:
    """Return once the condition holds; fail after a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what or condition}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for yet does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def until_gone(*pids: int) -> None:
    for pid in pids:
        until(lambda pid=pid: not is_alive(pid), f"process {pid} ends")  # type: ignore[misc]


def kill(*pids: int) -> None:
    """kill -9, and wait for the end."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until_gone(*pids)


def descendants(pid: int) -> set[int]:
    """All processes that it started, and those that they started, with it."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


@contextmanager
def stranger() -> Iterator[int]:
    """A process of PostgreSQL's user that is none of ours."""
    account = postgres_account()
    with subprocess.Popen(
        ["sleep", "600"], cwd="/", user=account.uid if account else None
    ) as process:
        try:
            yield process.pid
        finally:
            process.kill()
