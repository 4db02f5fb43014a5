"""Appends wait a moment for others, with whom they share a sync; not where nobody can come.

The moment is made a minute long: who waits for it waits for longer than any test.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis import Redis

from tests.collector.house import Collector, queued
from tests.collector.test_accepting import ANNA, envelope
from tests.collector.test_group_commit import command
from tracker.collector import redis_connection
from tracker.collector.group_commit import GroupCommit
from tracker.collector.redis_connection import ENOUGH, Senders, many
from tracker.settings import Settings

PATIENCE = 30.0


@asynccontextmanager
async def hurried(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, senders: Senders = many
) -> AsyncIterator[GroupCommit]:
    """A connection by which one append has just gone; each may take so long and no longer."""
    queue = GroupCommit(settings.redis_url, senders=senders)
    await queue.start()
    monkeypatch.setattr(redis_connection, "PACE_SECONDS", 2 * PATIENCE)
    try:
        async with asyncio.timeout(PATIENCE):
            await queue.append([command(0)])
            yield queue
    finally:
        await queue.stop()


async def turns() -> None:
    """What was to leave at once has left."""
    for _ in range(10):
        await asyncio.sleep(0)


def entries(redis: Redis) -> int:
    return sum(map(len, queued(redis).values()))


def test_the_second_waits_until_there_are_enough(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def go() -> None:
        async with hurried(settings, monkeypatch) as queue:
            group = [queue.append([command(n)]) for n in range(1, ENOUGH)]
            await turns()
            assert entries(redis) == 1
            group += [queue.append([command(n)]) for n in (ENOUGH, ENOUGH + 1)]
            await asyncio.gather(*group)

    asyncio.run(go())
    assert entries(redis) == 1 + ENOUGH + 1


def test_it_waits_for_nobody_once_all_senders_wait(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def go() -> None:
        async with hurried(settings, monkeypatch, lambda: 2) as queue:
            one = queue.append([command(1)])
            await turns()
            assert entries(redis) == 1
            await asyncio.gather(one, queue.append([command(2)]))

    asyncio.run(go())
    assert entries(redis) == 3


def test_who_sends_alone_sends_as_fast_as_redis_answers(
    collector: Collector, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_connection, "PACE_SECONDS", 2 * PATIENCE)
    for _ in range(5):
        assert collector.post(key, envelope(ANNA)).status_code == 204
