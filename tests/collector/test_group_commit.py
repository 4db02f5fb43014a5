"""Appends share round trips, fail honestly, and come back after any absence of Valkey."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import ConnectionError, Redis

from tests.collector import house as houses
from tests.collector.house import House, queued
from tests.collector.test_refusing import GOOD, full, said
from tests.embedded.waiting import kill, until
from tracker import embedded
from tracker.collector.app import make_app
from tracker.collector.group_commit import GroupCommit, QueueAwayError
from tracker.collector.redis_connection import MAX_PENDING_BYTES
from tracker.embedded.supervisor import Supervisor
from tracker.rules.hits import NOBODY
from tracker.settings import Settings
from tracker.stores import hit_queue
from tracker.stores.hit_queue import pack_append, pack_sender, pack_text

KEY, SENT, SENDER = pack_text("key"), pack_text("7"), pack_sender(NOBODY)


def command(number: int) -> bytes:
    return pack_append(number % 8, KEY, SENT, SENDER, b"%d" % number)


@contextmanager
def own_valkey(directory: Path) -> Iterator[embedded.Servers]:
    with asyncio.Runner() as runner:
        supervisor = Supervisor(directory / "logs")
        try:
            yield runner.run(embedded.start(supervisor, directory, database_url="postgresql://x"))
        finally:
            runner.run(supervisor.stop())


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that is there, but silent."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def until_taken(queue: GroupCommit) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                return await queue.append([command(0)])
            except QueueAwayError:
                await asyncio.sleep(0.01)


def test_concurrent_appends_share_round_trips(settings: Settings, redis: Redis) -> None:
    async def burst() -> None:
        queue = GroupCommit(settings.redis_url)
        await queue.start()
        await asyncio.gather(*(queue.append([command(n), command(n)]) for n in range(1000)))
        await queue.stop()

    redis.config_resetstat()
    asyncio.run(burst())
    assert redis.info("commandstats")["cmdstat_xadd"]["calls"] == 2000
    assert redis.info("stats")["total_reads_processed"] < 100
    assert sum(map(len, queued(redis).values())) == 2000


def test_appends_keep_their_order(settings: Settings, redis: Redis) -> None:
    async def burst() -> None:
        queue = GroupCommit(settings.redis_url)
        await queue.start()
        await asyncio.gather(*(queue.append([command(8 * n)]) for n in range(500)))
        await queue.stop()

    asyncio.run(burst())
    assert [int(hit) for _, _, hit in queued(redis)[0]] == [8 * n for n in range(500)]


def test_an_error_of_redis_fails_only_the_appends_that_it_concerns(
    settings: Settings, redis: Redis
) -> None:
    async def three() -> None:
        queue = GroupCommit(settings.redis_url)
        await queue.start()
        bad = b"*1\r\n$7\r\nNOTHING\r\n"
        parts = [[command(1)], [command(2), bad, command(3)], [command(4)]]
        results = await asyncio.gather(*map(queue.append, parts), return_exceptions=True)
        assert [type(result) for result in results] == [type(None), QueueAwayError, type(None)]
        with full(redis), pytest.raises(QueueAwayError, match="OOM"):
            await queue.append([command(5)])
        await queue.append([command(6)])
        await queue.stop()
        with pytest.raises(QueueAwayError):
            await queue.append([command(7)])

    asyncio.run(three())


def test_what_waits_is_bounded(settings: Settings) -> None:
    async def flood() -> None:
        queue = GroupCommit(settings.redis_url)
        await queue.start()
        with pytest.raises(QueueAwayError, match="too much"):
            await queue.append([bytes(MAX_PENDING_BYTES + 1)])
        await queue.append([command(1)])
        await queue.stop()

    asyncio.run(flood())


def test_a_password_and_a_database(settings: Settings, redis: Redis) -> None:
    async def append(url: str) -> None:
        queue = GroupCommit(url)
        await queue.start()
        try:
            await queue.append([command(1)])
        finally:
            await queue.stop()

    url = settings.redis_url
    scheme, _, path = url.partition("://")
    redis.acl_setuser("anna", True, passwords=["+p@ss"], keys="*", commands=["+@all"])
    try:
        asyncio.run(append(f"{scheme}://anna:p%40ss@{path}?db=3"))
        with pytest.raises(QueueAwayError):
            asyncio.run(append(f"{scheme}://anna:wrong@{path}"))
        with pytest.raises(QueueAwayError):
            asyncio.run(append(f"{url}?db=99"))
    finally:
        redis.acl_deluser("anna")
    assert queued(redis) == {}
    with Redis.from_url(f"{url}?db=3", legacy_responses=False) as other:
        assert len(queued(other)[1]) == 1
        other.flushdb()


def test_a_wrong_password_is_not_tried_without_a_pause(settings: Settings, redis: Redis) -> None:
    async def try_for_a_while() -> None:
        scheme, _, path = settings.redis_url.partition("://")
        queue = GroupCommit(f"{scheme}://nobody:wrong@{path}")
        await queue.start()
        await asyncio.sleep(0.5)
        await queue.stop()

    redis.config_resetstat()
    asyncio.run(try_for_a_while())
    assert redis.info("stats")["total_connections_received"] < 10


@contextmanager
def replica(redis: Redis) -> Iterator[None]:
    """It takes no writes, and lets its clients stay, as one whose name moved on to another."""
    redis.replicaof("127.0.0.1", "1")
    try:
        yield
    finally:
        redis.replicaof("NO", "ONE")


def connected(redis: Redis) -> set[str]:
    return {client["id"] for client in redis.client_list()}


def test_a_redis_that_became_a_replica_is_left(settings: Settings, redis: Redis) -> None:
    async def through() -> None:
        others = connected(redis)
        queue = GroupCommit(settings.redis_url)
        await queue.start()
        (own,) = connected(redis) - others
        with replica(redis), pytest.raises(QueueAwayError, match="READONLY"):
            await queue.append([command(0)])
        await until_taken(queue)
        until(lambda: own not in connected(redis), "it has another connection")
        await queue.stop()

    asyncio.run(through())
    assert len(queued(redis)[0]) == 1


def test_so_it_is_by_all_other_clients(settings: Settings, redis: Redis) -> None:
    async def through() -> None:
        async with hit_queue.connect_async(settings.redis_url, 10) as client:
            before = await client.client_id()
            with replica(redis), pytest.raises(ConnectionError, match="read only"):
                await client.set("a", 1)
            assert await client.client_id() != before

    asyncio.run(through())
    with hit_queue.connect(settings.redis_url, 10) as client:
        before = client.client_id()
        with replica(redis), pytest.raises(ConnectionError, match="read only"):
            client.pipeline(transaction=False).set("a", 1).get("a").execute()
        assert client.client_id() != before
        client.set("a", 1)


def test_valkey_is_killed_and_comes_back(data_dir: Path) -> None:
    with asyncio.Runner() as loop:
        with own_valkey(data_dir) as servers:
            queue = GroupCommit(servers.redis_url)
            loop.run(queue.start())
            loop.run(until_taken(queue))
            kill(servers.pids["valkey"])
            with pytest.raises(QueueAwayError):
                loop.run(asyncio.wait_for(queue.append([command(1)]), 30))
        with own_valkey(data_dir) as servers:
            loop.run(until_taken(queue))
            loop.run(queue.stop())
            with Redis.from_url(servers.redis_url, legacy_responses=False) as redis:
                assert len(queued(redis)[0]) == 2


def test_a_collector_starts_before_valkey(data_dir: Path) -> None:
    with own_valkey(data_dir) as servers:
        url = servers.redis_url
    with asyncio.Runner() as loop:
        queue = GroupCommit(url)
        loop.run(queue.start())
        assert not queue.connected
        with own_valkey(data_dir):
            loop.run(until_taken(queue))
            loop.run(queue.stop())


def test_a_silent_valkey_is_503_within_patience(
    settings: Settings, house: House, key: str, data_dir: Path
) -> None:
    with own_valkey(data_dir) as servers:
        with Redis.from_url(servers.redis_url, legacy_responses=False) as own:
            House(house.db, own).upkeep()
        app = make_app(houses.own_settings(servers.redis_url), patience=0.5)
        with houses.running(app) as collector:
            assert collector.post(key, GOOD).status_code == 204
            with stopped(servers.pids["valkey"]):
                # Within the client's patience of 60 s; the collector's is half a second.
                assert said(collector.post(key, GOOD)) == (503, "queue_away")
                assert said(collector.post(key, GOOD)) == (503, "queue_away")
            until(lambda: collector.post(key, GOOD).status_code == 204, "hits are taken again")
