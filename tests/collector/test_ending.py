"""A collector that is told to stop stops, whatever its tasks wait for at that moment."""

import asyncio
from contextlib import suppress

from tracker.collector.ending import end


def test_a_task_that_swallows_a_cancellation_ends_all_the_same() -> None:
    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def plain() -> None:
        await asyncio.Event().wait()

    async def run() -> None:
        tasks = [asyncio.create_task(stubborn()), asyncio.create_task(plain())]
        await asyncio.sleep(0)
        await end(*tasks)
        assert all(task.cancelled() for task in tasks)
        await end(*tasks)

    asyncio.run(asyncio.wait_for(run(), 60))
