"""A jobs process outlives a Redis that goes away, and runs what was enqueued meanwhile."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.chaos.links import Cut, Link
from tests.collector.test_refusing import full
from tests.embedded.waiting import until
from tests.worker.cast import Harbour
from tests.worker.processes import process
from tracker.stores import jobs


def runs(harbour: Harbour) -> None:
    job = jobs.enqueue(harbour.redis, jobs.RETENTION)
    until(lambda: job.get_status(refresh=True) == "finished", "the job runs")


def blocked(harbour: Harbour) -> set[str]:
    """The clients that wait for something."""
    return {one["id"] for one in harbour.redis.client_list() if "b" in one["flags"]}


@pytest.mark.slow
def test_it_waits_until_redis_is_back(harbour: Harbour, capfd: pytest.CaptureFixture[str]) -> None:
    async def run() -> None:
        link = Link("Redis", Path(urlsplit(harbour.settings.redis_url).path))
        await link.open()
        behind = replace(harbour.settings, redis_url=f"redis://127.0.0.1:{link.port}")
        link.cut(Cut.DROPPED)
        try:
            with process(replace(harbour, settings=behind), "worker.jobs") as running:
                await asyncio.to_thread(until, lambda: '"given_up"' in capfd.readouterr().err)
                link.mend()
                await asyncio.to_thread(runs, harbour)
                asking = blocked(harbour)
                link.cut(Cut.RESET)
                link.mend()
                # A job that Redis hands to a connection that is gone comes at RQ's next look only.
                await asyncio.to_thread(until, lambda: asking.isdisjoint(blocked(harbour)))
                await asyncio.to_thread(runs, harbour)
                assert running.poll() is None
                running.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(running.wait, 60) == 0
        finally:
            await link.close()

    asyncio.run(run())


def test_it_says_once_why_a_redis_that_is_there_will_not_have_it(
    harbour: Harbour, capfd: pytest.CaptureFixture[str]
) -> None:
    def refused() -> int:
        return int(harbour.redis.info("errorstats")["errorstat_OOM"]["count"])

    said: list[str] = []

    def says_why() -> bool:
        said.append(capfd.readouterr().err)
        return "used memory > 'maxmemory'" in "".join(said)

    with process(harbour, "worker.jobs"):
        with full(harbour.redis):
            until(says_why, "it says why")
            before = refused()
            until(lambda: refused() >= before + 3, "it tries again", 20)
            says_why()
        assert "".join(said).count('"given_up"') == 1
        runs(harbour)
