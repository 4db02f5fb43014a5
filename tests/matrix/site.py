"""A case's website: on an origin of its own, so that each case begins with an empty storage."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INSECURE = "shop.test"
NONCE = "cmFuZG9tLWVub3VnaA"

HEAD = '<!doctype html><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">'
BODY = """
<button id="buy">Buy</button>
<a id="leave" href="/other">Leave</a>
<form method="post" action="/sent"><button id="send">Send</button></form>
"""
SCRIPT = """
// Each hit has a name of its own, by which it is found again among the stored ones.
const load = Math.random().toString(36).slice(2)
let made = 0
function book (times = 1) {
  for (let n = 0; n < times; n++) {
    pintag('booking', { reference: `@CASE@-${load}-${++made}`, amount: '12.50', currency: 'EUR' })
  }
}
function vote () { pintag('poll-vote', { subject: `@CASE@-${load}-${++made}` }) }
var shown = []
addEventListener('pageshow', (event) => shown.push(event.persisted))
const on = (event, selector) =>
  document.querySelector(selector).addEventListener(event, () => book())
on('click', '#buy')
on('click', '#leave')
on('submit', 'form')
addEventListener('message', (event) => book(event.data)) // from the page around it
"""


@dataclass
class Page:
    """What is served at a path."""

    html: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Site:
    """Pages by path, and the page of all the other paths."""

    port: int
    page: Page
    pages: dict[str, Page] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def elsewhere(self) -> str:
        """The same pages, on another site by the browser's reckoning."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def insecure(self) -> str:
        """The same pages, at a name that browsers don't take for this machine's own."""
        return f"http://{INSECURE}:{self.port}"


def page(case: str, *before: str) -> str:
    """A page of these parts, snippets or scripts, with buttons and functions after them."""
    script = f"<script>{SCRIPT.replace('@CASE@', case)}</script>"
    return HEAD + "".join(before) + BODY + script


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        page = self.site.pages.get(self.path, self.site.page)
        body = page.html.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def website(html: str) -> Iterator[Site]:
    """Serve it at every path, for the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    site = Site(server.server_address[1], Page(html))
    server.RequestHandlerClass = type("Handler", (_Handler,), {"site": site})
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
