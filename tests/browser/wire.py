"""A small real HTTP server that plays the website and records what reaches the collector.

The website is http://localhost:PORT, the collector http://127.0.0.1:PORT: two origins.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import Any

HANG = -1  # as an answer: none until the test is over
CLOSE = -2  # as an answer: the connection is closed
PATIENCE = 60.0


@dataclass(frozen=True)
class Request:
    """One request to /v1/<key>, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def envelope(self) -> dict[str, Any]:
        envelope: dict[str, Any] = json.loads(self.body)
        return envelope

    @property
    def hits(self) -> list[dict[str, Any]]:
        hits: list[dict[str, Any]] = self.envelope["hits"]
        return hits


@dataclass
class Wire:
    """What the server serves, how it answers hits, and what it was sent."""

    port: int = 0
    answer: int | Callable[[Request], int] = 204
    pages: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)
    over: Event = field(default_factory=Event)

    @property
    def site(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def collector(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def hits(self) -> list[dict[str, Any]]:
        """All hits of all requests, repeated ones as often as they came."""
        return [hit for request in self.requests for hit in request.hits]

    def wait(self, condition: Callable[[], bool]) -> None:
        """Until the condition, which looks at the recorded requests, holds."""
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE), self.requests

    def wait_for_requests(self, count: int) -> None:
        self.wait(lambda: len(self.requests) == count)

    def wait_for_hits(self, count: int) -> None:
        """Until so many have come; one that came again, which is no fault, counts once."""
        self.wait(lambda: len({hit["id"] for hit in self.hits}) >= count)

    def record(self, request: Request) -> None:
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()


class _Handler(BaseHTTPRequestHandler):
    wire: Wire
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path in self.wire.scripts:
            self._send(200, "text/javascript", self.wire.scripts[self.path])
        elif (page := self.path.split("?")[0]) in self.wire.pages:
            self._send(200, "text/html; charset=utf-8", self.wire.pages[page])
        elif ".gif?" in self.path:
            self.wire.record(Request(self.command, self.path, dict(self.headers), ""))
            self._send(200, "image/gif", "")
        else:
            self._send(404, "text/plain", "")

    def do_POST(self) -> None:
        self._take()

    def do_OPTIONS(self) -> None:
        self._take()

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        answer = self.wire.answer
        if callable(answer):
            answer = answer(request)
        self.wire.record(request)
        if answer == HANG:
            self.wire.over.wait(60)
        if answer < 0:
            self.close_connection = True
        else:
            self._send(answer, "text/plain", "")

    def _send(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Expose-Headers", "Retry-After")
        for name, value in self.wire.headers.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-store" if kind.startswith("text/html") else "public")
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no news."""


@contextmanager
def running() -> Iterator[Wire]:
    """The server, on a free port, until the block ends."""
    wire = Wire()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"wire": wire}))
    wire.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield wire
    finally:
        wire.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
