"""A website on an origin of its own, with the snippets that `pintag snippet show` prints."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">
{snippets}
<button id="book" onclick="book()">Book</button>
<button id="vote" onclick="vote()">Vote</button>
<a id="leave" href="/other" onclick="book(); vote()">Leave</a>
<script>
// Each hit gets a number of its own, so that the test can find every one of them again.
function next () {{
  const number = Number(localStorage.getItem('made') || 0) + 1
  localStorage.setItem('made', number)
  return 'N' + number
}}
function book () {{ pintag('booking', {{ reference: next(), amount: '12.50', currency: 'EUR' }}) }}
function vote () {{ pintag('poll-vote', {{ subject: next() }}) }}
</script>"""


@contextmanager
def website(snippets: str) -> Iterator[str]:
    """Serve the page at every path; yields the site's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE.format(snippets=snippets).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
