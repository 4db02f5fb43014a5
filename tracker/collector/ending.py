"""Ending tasks that go on for as long as the collector does."""

import asyncio

AGAIN_SECONDS = 0.5


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks, and wait until they have ended.

    They are cancelled again and again: what they wait for may swallow a cancellation that comes at
    the moment at which it is done (`asyncio.wait_for` of Python 3.11 does), and then they go on.
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=AGAIN_SECONDS)
