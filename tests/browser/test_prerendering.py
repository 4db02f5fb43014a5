"""Pages that Chromium renders before anybody sees them, by itself: Playwright switches that off."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import FLAGS
from tests.browser.site import inline, publish
from tests.browser.wire import PATIENCE, Request, Wire
from tests.tools.install import find_chromium

RULES = """<script type=speculationrules>
  {"prerender": [{"source": "list", "urls": ["/next"], "eagerness": "immediate"}]}
</script>"""
# Its first hit can't be sent, so it waits for the next page; then it waits until that is rendered.
FIRST = """<script>
  pintag('signup', {n: 'first'});
  fetch('/v1/go', {method: 'POST', body: '{"hits": []}'}).then(() => location = '/next');
</script>"""
NEXT = """<script>
  pintag('identify', {email: 'x'});
  pintag('signup', {n: 'early'});
  document.addEventListener('prerenderingchange', () => pintag('signup', {n: 'seen'}));
  setTimeout(() => {
    const state = document.prerendering ? 'rendered' : 'late';
    fetch('/v1/' + state, {method: 'POST', body: '{"hits": []}'});
  });
</script>"""


@contextmanager
def chromium(program: str, profile: Path, address: str) -> Iterator[None]:
    """Chromium on its own, with a page, until the block ends."""
    flags = [*FLAGS, "--headless=new", f"--user-data-dir={profile}"]
    flags.append("--host-resolver-rules=MAP shop.test 127.0.0.1")
    process = subprocess.Popen([program, *flags, address], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize("host", ["localhost", "shop.test"])  # with locks, and without
def test_calls_of_a_prerendered_page_are_sent_when_it_is_seen(
    browser: Browser, wire: Wire, tmp_path: Path, host: str
) -> None:
    rendered = Event()

    def answer(request: Request) -> int:
        if request.path == "/v1/rendered":
            rendered.set()
        if request.path == "/v1/go":
            rendered.wait(PATIENCE)
        return 204 if rendered.is_set() else 503

    def sent() -> dict[str, Any]:
        return {hit["data"]["n"]: hit.get("claims") for hit in wire.hits}

    wire.answer = answer
    publish(wire, inline(wire), RULES, FIRST)
    publish(wire, inline(wire), NEXT, path="/next")
    program = find_chromium() or browser.browser_type.executable_path
    with chromium(program, tmp_path, f"http://{host}:{wire.port}/"):
        wire.wait(lambda: {"first", "early", "seen"} <= set(sent()))
    assert "/v1/rendered" in [request.path for request in wire.requests]
    assert sent() == {"first": None, "early": {"email": "x"}, "seen": {"email": "x"}}
    # The collector takes what such a page sends before it is seen for a robot's.
    of_hits = [request for request in wire.requests if request.hits]
    assert not any("sec-purpose" in request.headers for request in of_hits)
