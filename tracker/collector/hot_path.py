"""The way of nearly all hits: answered by the connection itself, past Starlette.

A request that nothing speaks against goes straight to the hit queue, and is answered when Redis
has it; one that a limit refuses is answered at once. Every other one is handed to Starlette as if
it had come just now, so that there is one place that waits and explains: the endpoints in app.py.
"""

import asyncio
from collections.abc import Iterable, Mapping

import structlog
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tracker.collector import plain_posts, senders
from tracker.collector.answers import TAKEN, refuse
from tracker.collector.connections import Connections
from tracker.collector.http_limits import MAX_HEADERS, BoundedProtocol
from tracker.collector.intake import Intake, RefusedError, Ticket
from tracker.collector.plain_posts import Head, PlainPosts
from tracker.collector.proxies import Proxies
from tracker.collector.senders import Seen
from tracker.rules.hits import MAX_BODY
from tracker.rules.refusals import Refusal
from tracker.settings import HITS_PATH, Settings

log = structlog.get_logger("collector")

MAX_DIGITS = len(str(MAX_BODY))
Headers = list[tuple[bytes, bytes]]


def hits_paths(settings: Settings) -> tuple[str, ...]:
    """Where hits are taken; at the default path, too: what was pasted before is never changed."""
    return tuple(dict.fromkeys((settings.hits_path, HITS_PATH)))


class Door:
    """What all connections share: where hits go, at which paths they come, and whom to believe."""

    def __init__(self, intake: Intake, settings: Settings, connections: Connections) -> None:
        self.intake = intake
        self.prefixes = tuple(f"{path}/".encode() for path in hits_paths(settings))
        self.plain = plain_posts.pattern(hits_paths(settings), MAX_HEADERS)
        self.proxies = Proxies(settings.trusted_proxies)
        self.connections = connections
        self._taken = b""
        self._common: Headers | None = None

    def key_of(self, path: bytes) -> str | None:
        """The snippet key that a path names; None where it is no plain address of a snippet."""
        for prefix in self.prefixes:
            if path.startswith(prefix):
                return path[len(prefix) :].decode("latin-1")
        return None

    def forwarded(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The IP address of the client whose request a trusted proxy passed on, if it says so."""
        forwarded = [value for name, value in headers if name == b"x-forwarded-for"]
        return self.proxies.client(b", ".join(forwarded))

    def taken(self, common: Headers) -> bytes:
        """The bytes of the answer 204, with the headers that uvicorn renews once a second."""
        if common is not self._common:
            self._taken, self._common = packed(TAKEN, common), common
        return self._taken


def packed(response: Response, common: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A response's bytes, with the headers that all responses have."""
    lines = [b"%b: %b\r\n" % header for header in (*common, *response.raw_headers)]
    return b"".join((STATUS_LINE[response.status_code], *lines, b"\r\n", bytes(response.body)))


class _Answer:
    """The answer that a connection owes, in the place where uvicorn keeps its own.

    It makes the next request of the connection wait, and a stopping server wait for this one.
    """

    __slots__ = ("disconnected", "keep_alive", "response_complete", "ticket")
    more_body = False

    def __init__(self) -> None:
        self.response_complete, self.keep_alive, self.disconnected = True, True, False
        self.ticket: Ticket | None = None

    @property
    def message_event(self) -> "_Answer":
        return self

    def set(self) -> None:
        """Nobody waits for events here."""


class HitsProtocol(BoundedProtocol):
    """A connection of which the plain POSTs of hits are answered here."""

    _door: Door
    _key: str | None = None
    """Of the request that is coming in: set while it may be answered here."""
    _query = b""
    _named: Mapping[bytes, bytes]
    """Its headers; of those that come twice, the last."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._door = self.app_state["door"]
        self._plain = PlainPosts(self._door.plain, self._look)
        self._answer = _Answer()
        self._body = bytearray()
        self._peer: str | None = None
        self._counted_as: str | None = None
        self._is_proxy = self._is_counted = False

    # -- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else None
        self._is_proxy = self._peer in self._door.proxies
        self._counted_as = None if self._is_proxy else self._peer
        self._is_counted = self._door.connections.enter(self._counted_as)
        if not self._is_counted:
            refused = self._door.intake.refuse(Refusal.CONNECTIONS, "")
            self._write(self._refusal(refused), keep_alive=False)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_counted:
            self._is_counted = False
            self._door.connections.leave(self._counted_as)
        super().connection_lost(exc)
        del self._plain  # It holds on to this, too.

    # -- past the parser

    def data_received(self, data: bytes) -> None:
        """A plain POST that came in one piece needs no parser."""
        if self._is_whole and self._may_answer and (plain := self._plain.read(data)):
            self._unset_keepalive_if_required()
            (key, seen), body = plain
            if self._attempt(key, seen, body, not self.server_state.stopping):
                if self._deadline is not None:
                    self._watch()
                return
        super().data_received(data)

    @property
    def _may_answer(self) -> bool:
        """Whether an answer may follow at once; where nobody reads them it waits in Starlette."""
        owed = self.cycle
        return (owed is None or owed.response_complete) and not self.flow.write_paused

    def _look(self, head: Head) -> tuple[str, Seen]:
        return head.key, self._see(head.named, head.query, head.named.items())

    # -- the parser's callbacks

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self.headers.append((name.lower(), value))

    def on_message_begin(self) -> None:
        self._begin()
        self._key, self._body = None, bytearray()
        self.url, self.headers = b"", []

    def on_headers_complete(self) -> None:
        self._end_head()
        self._named = dict(self.headers)
        path, _, self._query = self.url.partition(b"?")
        if self._is_plain():
            self._key = self._door.key_of(path)
        if self._key is None:
            self._hand_over()

    def on_body(self, body: bytes) -> None:
        if self._key is None:
            super().on_body(body)
            return
        self._count_bare()
        self._body += body
        if len(self._body) > MAX_BODY:
            self._hand_over()

    def on_message_complete(self) -> None:
        if self._key is None:
            super().on_message_complete()
        elif self._attempt_parsed(self._key):
            self._is_whole = True
            self._body.clear()
        else:
            self._hand_over()
            super().on_message_complete()

    # -- what becomes of a request

    def _is_plain(self) -> bool:
        """Whether nothing about a request is out of the common: no pipelining, no ceremony."""
        return (
            self.parser.get_method() == b"POST"
            and self._may_answer
            and b"expect" not in self._named
            and not self.parser.should_upgrade()
            and self.parser.get_http_version() == "1.1"
            # By its length the body may be too large: its sender may wait for a no.
            and len(self._named.get(b"content-length", b"")) < MAX_DIGITS
        )

    def _hand_over(self) -> None:
        """Let Starlette have the request from its beginning, with as much body as has come."""
        url, headers = self.url, self.headers
        HttpToolsProtocol.on_message_begin(self)
        self.url = url
        self.expect_100_continue = self._named.get(b"expect", b"").lower() == b"100-continue"
        self.headers.extend(headers)
        super().on_headers_complete()
        self._key = None
        if self._body:
            super().on_body(bytes(self._body))
            self._body.clear()

    def _see(
        self, named: Mapping[bytes, bytes], query: bytes, headers: Iterable[tuple[bytes, bytes]]
    ) -> Seen:
        client = self._peer
        if self._is_proxy and b"x-forwarded-for" in named:
            client = self._door.forwarded(headers) or client
        return senders.see(named, client, senders.parameters(query))

    def _attempt_parsed(self, key: str) -> bool:
        seen = self._see(self._named, self._query, self.headers)
        return self._attempt(key, seen, bytes(self._body), self.keeps_alive)

    def _attempt(self, key: str, seen: Seen, body: bytes, keep_alive: bool) -> bool:
        """Send the hits on their way, or refuse them; False leaves the answer to Starlette.

        What fails here is for it, too, and no 400.
        """
        owed = self._answer
        try:
            owed.ticket = self._door.intake.attempt(key, seen, body, self._finish)
        except RefusedError as refused:
            self._write(self._refusal(refused), keep_alive)
            self.on_response_complete()
            return True
        except Exception as error:
            log.error("hot_path_failed", error=repr(error))
            return False
        if owed.ticket is None:
            return False
        owed.response_complete, owed.keep_alive = False, keep_alive
        self.cycle = owed  # type: ignore[assignment]
        return True

    def _finish(self, error: str | None) -> None:
        """Answer: Redis has every hit of the request on disk, or may not have them."""
        owed = self._answer
        assert owed.ticket is not None
        if error is None:
            self._door.intake.confirmed(owed.ticket)
            answer = self._door.taken(self.server_state.default_headers)
        else:
            answer = self._refusal(self._door.intake.failed(owed.ticket, error))
        owed.response_complete = True
        if self.transport.is_closing():
            return
        self._write(answer, owed.keep_alive)
        self.on_response_complete()

    def _refusal(self, refused: RefusedError) -> bytes:
        return packed(refuse(refused), self.server_state.default_headers)

    def _write(self, answer: bytes, keep_alive: bool) -> None:
        """Write an answer, and say so where the connection ends with it."""
        if keep_alive:
            self.transport.write(answer)
        else:
            head, _, body = answer.partition(b"\r\n\r\n")
            self.transport.write(b"%b\r\nconnection: close\r\n\r\n%b" % (head, body))
            self.transport.close()
