"""Answers that go on: server-sent events, a bounded number at once, each for a bounded time.

uvicorn waits for open answers when it is told to stop, so these end then by themselves.
"""

import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus

import anyio
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from tracker.pages import shell

MOST = 100
"""Streams of a web process."""
LONGEST = 300.0
"""Seconds until a stream ends: the browser opens another, and is asked anew who is signed in."""
STALLED = 30.0
"""Seconds more until one that nobody reads is cut off."""
AGAIN_MS, AT_ONCE_MS = 2_000, 50
"""When the browser comes back: to a server that is away, and after a stream's time was up."""


class Streams:
    """The open streams of a web process."""

    def __init__(self) -> None:
        self.open = 0
        self.ending = False

    def end(self) -> None:
        """Let all of them end as soon as they come to it: within the time that they wait for."""
        self.ending = True

    @property
    def are_full(self) -> bool:
        return self.ending or self.open >= MOST


class EventStream(StreamingResponse):
    """Server-sent events; `parts` yields every second or so, "" if there is nothing."""

    def __init__(self, parts: AsyncGenerator[str, None]) -> None:
        # What buffers in between would keep the events from coming as they happen.
        headers = {**shell.HEADERS, "X-Accel-Buffering": "no"}
        super().__init__(parts, headers=headers, media_type="text/event-stream")
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        streams: Streams = scope["app"].state.streams
        async with aclosing(self._parts):
            if streams.are_full:
                await _full(scope, receive, send)
                return
            streams.open += 1
            try:
                with anyio.move_on_after(LONGEST + STALLED):
                    async with aclosing(_bounded(self._parts, streams)) as self.body_iterator:
                        await super().__call__(scope, receive, send)
            finally:
                streams.open -= 1


async def _bounded(parts: AsyncGenerator[str, None], streams: Streams) -> AsyncGenerator[str, None]:
    until = time.monotonic() + LONGEST
    yield f"retry: {AGAIN_MS}\n\n"
    async for part in parts:
        if part:
            yield part
        if streams.ending:
            return
        if time.monotonic() >= until:
            yield f"retry: {AT_ONCE_MS}\n\n"
            return


def event(name: str, data: str) -> str:
    """One server-sent event."""
    lines = "".join(f"data: {line}\n" for line in re.split(r"\r\n|\r|\n", data))
    return f"event: {name}\n{lines}\n"


COMMENT = ": still here\n\n"
"""What shows each side that the other one is there."""

_full = PlainTextResponse(
    "Too many pages are watched live; try again in a minute.",
    HTTPStatus.SERVICE_UNAVAILABLE,
    {**shell.HEADERS, "Retry-After": "60"},
)
