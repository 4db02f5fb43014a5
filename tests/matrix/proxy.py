"""A real HTTP proxy between browsers and the collector, which can fail in every way a network can.

It counts on both sides: the hits that reached it, and those that the collector took.
"""

import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_PER_HOP = {"host", "connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Pass:
    """Everything goes through; `seconds`: how late, there and back each."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Refuse:
    """Hits are refused, and the collector never sees them."""

    status: int
    retry_after: int | None = None


@dataclass(frozen=True)
class Hang:
    """Requests are read, and nothing else ever happens to them."""


@dataclass(frozen=True)
class Cut:
    """The collector takes the hits, and the connection breaks before its answer is through."""


Behaviour = Pass | Refuse | Hang | Cut


@dataclass
class Proxy:
    """One case's way to the collector."""

    port: int
    collector: str
    behaviour: Behaviour = field(default_factory=Pass)
    requests: list[int] = field(default_factory=list)
    """How many hits were in each request, in the order of arrival."""
    preflights: int = 0
    taken: int = 0
    """Hits that the collector answered 204 for, repeated ones as often as they came."""
    under_way: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    over: threading.Event = field(default_factory=threading.Event)
    """When it is set, the connections of requests that hang are closed."""
    _server: "_Server | None" = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sent(self) -> int:
        """Hits in requests that came in whole, repeated ones as often as they came."""
        return sum(self.requests)

    def up(self) -> None:
        """Listen."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        serve = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        serve.start()

    def down(self) -> None:
        """Refuse connections, and break those that are open."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(*self._forward(b""))

    def do_OPTIONS(self) -> None:
        self.proxy.preflights += 1
        self._answer(*self._forward(b""))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        behaviour, hits = self._note(body)
        try:
            self._take(body, behaviour, hits)
        finally:
            with self.proxy.changed:
                self.proxy.under_way -= 1

    def _note(self, body: bytes) -> tuple[Behaviour, int]:
        hits = len(json.loads(body)["hits"])
        with self.proxy.changed:
            self.proxy.requests.append(hits)
            self.proxy.under_way += 1
            return self.proxy.behaviour, hits

    def _take(self, body: bytes, behaviour: Behaviour, hits: int) -> None:
        if isinstance(behaviour, Hang):
            self.proxy.over.wait(60)
            self.close_connection = True
        elif isinstance(behaviour, Refuse):
            wait = behaviour.retry_after
            retry = {} if wait is None else {"Retry-After": str(wait)}
            self._answer(behaviour.status, _CORS | retry, b"{}")
        else:
            seconds = behaviour.seconds if isinstance(behaviour, Pass) else 0
            time.sleep(seconds)
            answer = self._forward(body)
            with self.proxy.changed:
                self.proxy.taken += hits * (answer[0] == 204)
            time.sleep(seconds)
            if isinstance(behaviour, Cut):
                self.close_connection = True
            else:
                self._answer(*answer)

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What the collector answers."""
        upstream = http.client.HTTPConnection(urlsplit(self.proxy.collector).netloc, timeout=60)
        headers = {name: value for name, value in self.headers.items() if _passes(name)}
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        data = answer.read()
        upstream.close()
        return answer.status, {n: v for n, v in answer.getheaders() if _passes(n)}, data

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}


def _passes(name: str) -> bool:
    return name.lower() not in _PER_HOP


@contextmanager
def proxy(collector: str) -> Iterator[Proxy]:
    """A proxy that is up; for the block."""
    made = Proxy(_free_port(), collector)
    made.up()
    try:
        yield made
    finally:
        made.over.set()
        made.down()


def _free_port() -> int:
    """One that no connection is given meanwhile: it must still be free after an outage."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
