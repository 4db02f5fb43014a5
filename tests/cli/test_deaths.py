"""A process that dies: who watches hears of it at once, and it no longer counts as running."""

import asyncio
import os
import socket

import pytest
from redis import Redis

from tests.embedded.waiting import until
from tests.worker.cast import now_ms
from tracker.cli import deaths
from tracker.cli.deaths import Deaths
from tracker.settings import Settings
from tracker.stores import processes
from tracker.stores.processes import Reported
from tracker.stores.reporting import Reporter

HOW = "ended by signal 9"


def told(died: Deaths, settings: Settings, redis: Redis, times: int) -> list[Reported]:
    """The warnings once so many deaths are told of."""

    def all_are() -> bool:
        return sum(one.times for one in processes.errors(redis, now_ms())) == times

    async def run() -> None:
        telling = asyncio.create_task(died.tell(settings.redis_url))
        await asyncio.to_thread(until, all_are, "deaths are told of", 10)
        telling.cancel()

    asyncio.run(run())
    return processes.errors(redis, now_ms())


def test_a_worker_that_was_killed_twice(settings: Settings, redis: Redis) -> None:
    reporter = Reporter("worker")
    reporter.send(redis, reporter.report())
    died = Deaths()
    died.note("worker", os.getpid(), HOW)
    died.note("worker", os.getpid() + 1, HOW)
    [warning] = told(died, settings, redis, 2)
    assert processes.current(redis, now_ms()) == []
    assert (warning.level, warning.event, warning.times) == ("warning", "process_died", 2)
    assert warning.words == f"worker {HOW}; it is started again"
    assert warning.process == f"supervisor:{socket.gethostname()}:{os.getpid()}"


def test_others_go_on(settings: Settings, redis: Redis) -> None:
    reporter = Reporter("web")
    reporter.send(redis, reporter.report())
    died = Deaths()
    died.note("worker", os.getpid() + 1, HOW)
    told(died, settings, redis, 1)
    assert [one.kind for one in processes.current(redis, now_ms())] == ["web"]


def test_who_died_while_redis_is_away_is_told_of_later(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deaths, "AGAIN_SECONDS", 0.01)
    died = Deaths()
    died.note("valkey", 1, HOW)

    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await died.tell("redis://127.0.0.1:1")

    asyncio.run(run())
    [warning] = told(died, settings, redis, 1)
    assert warning.words == f"valkey {HOW}; it is started again"
