"""A website with the inline snippet, for measuring in a browser; its collector answers 204."""

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.measure_sizes import SAMPLE
from tracker.snippets.forms import FormName, render

_NUMBERS = itertools.count(1)
_HEAD = "<!doctype html><title>Shop</title><link rel=icon href=data:,>"
_TIMES = "<script>before = performance.now()</script>{}<script>after = performance.now()</script>"
_IN_USE = "<script>localStorage.length; navigator.locks.request('site', () => {})</script>"
# With these, the page's clock tells 5 microseconds, without them 100.
_ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}


@dataclass
class SnippetPage:
    """Where it is, and what its collector was sent."""

    address: str = ""
    hits: int = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    page: SnippetPage
    functions: str

    def do_GET(self) -> None:
        snippet = self._snippet()
        if self.path == "/empty":
            snippet = f"<script>/*{'x' * (len(snippet) - len('<script>/**/</script>'))}*/</script>"
        # New text each time, so that nothing compiled earlier fits.
        snippet = snippet.replace("<script>", f"<script>/*{next(_NUMBERS):09}*/", 1)
        functions = self.functions.replace("ADDRESS", f"'{self.page.address}/v1/by-hand'")
        before = _IN_USE if self.path == "/storage-in-use" else ""
        html = _HEAD + before + _TIMES.format(snippet) + f"<script>{functions}</script>"
        self._answer(200, {"Content-Type": "text/html", **_ISOLATED}, html.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.page.hits += len(json.loads(body)["hits"])
        self._answer(204, {}, b"")

    def _snippet(self) -> str:
        """Without the comment before the script, which a browser hardly sees."""
        html = render(replace(SAMPLE, collector_url=self.page.address), FormName.INLINE).text
        return html[html.index("<script>") :].rstrip("\n")

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def snippet_page(functions: str) -> Iterator[SnippetPage]:
    """Serve it, with these functions in each page; ADDRESS in them is a collector's."""
    page = SnippetPage()
    handler = type("Handler", (_Handler,), {"page": page, "functions": functions})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    page.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield page
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
