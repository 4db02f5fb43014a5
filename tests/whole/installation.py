"""A whole Pintag as its users run it: `pintag up` as a process, with everything real."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
import redis
from playwright.sync_api import Page

from tests.embedded.waiting import descendants, until, until_gone
from tracker.actions import auditing
from tracker.actions.auditing import Audit
from tracker.stores import database, hit_queue

PASSWORD = "correct horse battery"
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("PINTAG") and name not in ("DATABASE_URL", "REDIS_URL")
}


def free_ports() -> int:
    """A port that is free together with the one after it.

    Not one that the system hands out: between now and its use a connection could take that.
    """
    while True:
        port = random.randrange(10_000, 32_000, 2)
        with socket.socket() as first, socket.socket() as second, suppress(OSError):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port


def command(data: Path, port: int, *more: str) -> list[str]:
    """The command that starts an installation."""
    return [sys.executable, "-m", "tracker.cli", "up", f"--data={data}", f"--port={port}", *more]


def read_state(data: Path) -> dict[str, Any]:
    """What up.json says."""
    return dict(json.loads((data / "up.json").read_text()))


@contextmanager
def up(
    data: Path, port: int, *more: str, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[str]]:
    """A `pintag up` that is ready; whatever happens, nothing of it outlives the block."""
    with (data / "screen.txt").open("w+") as screen:
        process = subprocess.Popen(
            command(data, port, *more),
            stdout=screen,
            stderr=screen,
            text=True,
            env={**CLEAN, **environment},
        )
        try:
            until(lambda: (data / "up.json").exists() or process.poll() is not None)
            assert process.poll() is None, (data / "screen.txt").read_text()
            yield process
        finally:
            if process.poll() is None:
                family = descendants(process.pid)
                process.kill()
                process.wait()
                until_gone(*family)


@dataclass
class Installation:
    """A running `pintag up`, with what tests ask it."""

    data: Path
    process: subprocess.Popen[str]

    @property
    def state(self) -> dict[str, Any]:
        return read_state(self.data)

    @property
    def collector(self) -> str:
        return str(self.state["collector"])

    @property
    def web(self) -> str:
        return str(self.state["web"])

    def sign_in(self, page: Page) -> None:
        """Sign a browser in as the owner, by the one-time link or the password it led to."""
        page.goto(str(self.state["sign_in"]))
        if page.locator("input[name=password]").count():
            page.fill("input[name=password]", PASSWORD)
        else:
            page.goto(f"{self.web}/sign-in")
            page.fill("input[name=name]", "owner")
            page.fill("input[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_url(f"{self.web}/")

    def key(self, slug: str) -> str:
        """The snippet key of a demo event."""
        events = self.state["demo"]["definitions"]
        return next(str(event["snippet_key"]) for event in events if event["slug"] == slug)

    def database(self) -> psycopg.Connection:
        return database.connect(self.state["environment"]["DATABASE_URL"])

    def redis(self) -> redis.Redis:
        return hit_queue.connect(self.state["environment"]["REDIS_URL"])

    def kill(self, part: str) -> None:
        """Kill a part at once, and wait until `up` has started it again."""
        pid = self.state["processes"][part]
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.state["processes"].get(part) not in (None, pid))

    def pintag(self, *arguments: str, code: int = 0) -> str:
        """Run a command against it; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "tracker.cli", *arguments],
            env={**CLEAN, "PINTAG_DATA": str(self.data)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def audit(self) -> Audit:
        """The audit, once nothing is queued any more."""
        with self.database() as connection, self.redis() as client:
            until(lambda: auditing.audit(connection, client).queued == 0)
            return auditing.audit(connection, client)


@contextmanager
def installed(data: Path, *more: str) -> Iterator[Installation]:
    """An installation that is ready, on ports of its own."""
    with up(data, free_ports(), *more) as process:
        yield Installation(data, process)


@contextmanager
def temporary() -> Iterator[Installation]:
    """The same, in a folder that is gone afterwards."""
    data = Path(tempfile.mkdtemp(prefix="pintag-whole-", dir="/tmp"))
    data.chmod(0o755)
    try:
        with installed(data) as installation:
            yield installation
    finally:
        shutil.rmtree(data, ignore_errors=True)
