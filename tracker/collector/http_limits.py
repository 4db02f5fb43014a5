"""uvicorn's HTTP protocol with the bounds that a public port needs: it has none of its own."""

import asyncio
import sys
from collections.abc import Sized
from typing import Any

import httptools
from starlette.responses import PlainTextResponse
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tracker import serving

MAX_HEAD = 64_000
"""Bytes that a request may have before its body, between two pieces of it or after it, give or take
one read: its first line and headers, sizes of chunks, trailers."""
MAX_HEADERS = 100
"""As each costs memory, however short it is."""
MOST_WAITING = 200_000
"""Bytes that the requests of a connection may take that wait for those before them."""
WAITING_BYTES, HEADER_BYTES = 3_000, 200
"""What each of them takes, and each of its headers, however short it is; besides its body."""
REQUEST_SECONDS = 30.0
"""Within which a request that began must have come in whole, and answers must be read."""


class TooManyHeadersError(Exception):
    """Raised within the parser, it becomes a 400."""


class TooManyWaitingError(Exception):
    """Raised within the parser, it ends the reading of a connection that is given up."""


class Flow(FlowControl):
    """Reads no more while requests wait; uvicorn's does with the answer to each."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class BoundedProtocol(serving.Protocol):
    """Gives up senders of endless headers or requests, and ones that never finish what they began.

    It ignores offers to upgrade, as RFC 9110 (7.8) allows, where uvicorn loses the body: clients
    that would rather have HTTP/2 make such offers with every request.
    """

    max_head = MAX_HEAD
    request_seconds = REQUEST_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = False
        self._is_whole = True
        self._is_over = False
        self._has_begun = False
        self._bare_bytes = 0
        self._waiting_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None
        self._unread: list[bytes | memoryview] = []
        self._data: bytes | memoryview = b""
        self._rests_since = 0.0
        self._bell: asyncio.TimerHandle | None = None
        self._last_call: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = Flow(transport, self.pipeline)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_whole = True
        self._watch()
        if self._bell is not None:
            self._bell.cancel()
            self._bell = None
        self._is_read()
        super().connection_lost(exc)
        if self._running is not None:  # uvicorn tells the last request only
            self._running.disconnected = True
            self._running.message_event.set()
            self._running = None
        # What waits holds on to this, and this to it; the garbage collector may come much later.
        self.pipeline.clear()
        self.cycle = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return
        rested_since = self._rests_since
        self._read(data)
        if self._is_whole and not self._rests_since and self._owes_nothing:
            # No request: line ends between two of them, or the rest of one that is answered.
            self._rest(rested_since or self.loop.time())
        if not self._is_whole:
            self._bare_bytes += len(data)
            too_large = self._bare_bytes > self.max_head or len(self.headers or ()) > MAX_HEADERS
            if too_large:
                self.send_400_response("The headers are too large.")
        if self._is_whole is not (self._deadline is None):
            self._watch()

    def _read(self, data: bytes) -> None:
        """Let the parser read it all: again and again where offers to upgrade interrupt it."""
        self._unread.append(data)
        while self._unread:
            self._data = self._unread.pop()
            super().data_received(self._data)  # type: ignore[arg-type]
        self._data = b""

    def on_message_begin(self) -> None:
        self._begin()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # What comes after the body (trailers) must not pass for a header.
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._count_bare()
        super().on_body(body)

    def _begin(self) -> None:
        if self._is_whole:  # Else it is read once more, without its offer to upgrade.
            self._bound_waiting()
        if self._deadline is not None and self._has_begun:
            # One that ended in this read had it; this one gets its own.
            self._deadline.cancel()
            self._deadline = None
        self._has_begun = True
        self._is_whole, self._in_head = False, True
        self._count_bare()

    def _count_bare(self) -> None:
        """Count bytes from the next read on: this one may be full of other requests, or of body."""
        self._bare_bytes = -len(self._data)

    def _bound_waiting(self) -> None:
        """Called as a request begins: of those that wait, the one before it is the last."""
        if not self.pipeline:
            self._waiting_bytes = 0
            return
        headers, body = len(self.headers), len(self.cycle.body)
        self._waiting_bytes += WAITING_BYTES + HEADER_BYTES * headers + body
        if self._waiting_bytes > MOST_WAITING:
            self.transport.abort()
            raise TooManyWaitingError

    def _end_head(self) -> None:
        self._in_head = False
        if len(self.headers) > MAX_HEADERS:
            raise TooManyHeadersError

    def on_headers_complete(self) -> None:
        self._end_head()
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            self._is_whole = True
            super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Called while HttpParserUpgrade is handled: read the request again without the offer."""
        error = sys.exc_info()[1]
        assert isinstance(error, httptools.HttpParserUpgrade)
        method = self.parser.get_method()
        if method == b"CONNECT":  # That is no offer: what comes next would not be HTTP.
            self.send_400_response("This is no proxy.")
            return
        line = b"%b %b HTTP/1.1" % (method, self.url)
        kept = [
            b"%b: %b" % (name, b"close" if name == b"connection" else value)
            for name, value in self.headers
            if name != b"upgrade" and (name != b"connection" or b"close" in value.lower())
        ]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        rest = memoryview(self._data)[error.args[0] :]
        self._unread += [rest, b"\r\n".join((line, *kept, b"", b""))]

    def send_400_response(self, msg: str) -> None:
        """Answer, and end the connection; but nothing may pass for an answer that is owed.

        Where some are, no more is read, and the last of them ends it.
        """
        if self.transport.is_closing() or self._is_over:
            return
        owed = self.cycle
        waits = bool(self.pipeline) and self.pipeline[0][0] is owed
        if self._owes_nothing or (owed.more_body and not waits):
            super().send_400_response(msg)
            self._is_unread()
            return
        self._is_over, owed.keep_alive = True, False
        if owed.more_body:  # Others are before it, and it is at fault itself.
            self.pipeline[0] = owed, PlainTextResponse(msg, 400)  # type: ignore[assignment]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def shutdown(self) -> None:
        """Called when the server waits no longer: what rests ends; what has begun may go on."""
        if self._is_whole:
            super().shutdown()

    def _watch(self) -> None:
        """A clock runs while a request is incomplete; most come whole, and need none."""
        if self._is_whole and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif not self._is_whole and self._deadline is None:
            self._start_clock()

    def _start_clock(self) -> None:
        self._deadline = self.loop.call_later(self.request_seconds, self._give_up)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
            self._is_unread()

    # -- answers that nobody reads

    def pause_writing(self) -> None:
        super().pause_writing()
        self._is_unread()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._is_read()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._is_unread()

    def _is_unread(self) -> None:
        """Even one that was closed is there until its answers are read, or this clock rings."""
        if self._last_call is None:
            self._last_call = self.loop.call_later(self.request_seconds, self.transport.abort)

    def _is_read(self) -> None:
        if self._last_call is not None:
            self._last_call.cancel()
            self._last_call = None

    # -- rest between requests, as in uvicorn, but without a new clock for each of them

    def on_response_complete(self) -> None:
        if self.transport.is_closing():
            self._is_unread()
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._rest(self.loop.time())

    @property
    def _owes_nothing(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _rest(self, since: float) -> None:
        self._rests_since = since
        if self._bell is None:
            self._bell = self.loop.call_later(self.timeout_keep_alive, self._ring)

    def _unset_keepalive_if_required(self) -> None:
        self._rests_since = 0.0

    def _ring(self) -> None:
        """Close what has rested for long enough; look again later at what began to since."""
        self._bell = None
        if not self._rests_since:
            return
        left = self._rests_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._bell = self.loop.call_later(left, self._ring)
        else:
            self.timeout_keep_alive_handler()
