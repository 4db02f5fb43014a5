"""Chromium as people run it, but without a screen: Playwright only attaches to it.

Started by Playwright it would have no back/forward cache, and all its tabs would be shown at once.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page, Playwright, sync_playwright

from tests.browser.chromium import FLAGS
from tests.embedded.waiting import until
from tests.matrix.site import INSECURE
from tests.tools.install import find_chromium
from tracker.embedded.processes import die_with_parent

_COOKIES_BLOCKED = {"profile": {"default_content_setting_values": {"cookies": 2}}}


class ChromiumTab:
    """A Playwright page, in which expressions run whatever its Content-Security-Policy says."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.devtools: CDPSession = page.context.new_cdp_session(page)

    def goto(self, address: str) -> None:
        self._page.goto(address)

    def run(self, expression: str) -> Any:
        done = self.devtools.send(
            "Runtime.evaluate",
            {"expression": expression, "returnByValue": True, "awaitPromise": True},
        )
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def click(self, selector: str) -> None:
        self._page.click(selector)

    def reload(self) -> None:
        self._page.reload()

    def back(self) -> None:
        # A page out of the back/forward cache doesn't load.
        self._page.go_back(wait_until="commit")
        until(lambda: self.run("document.readyState == 'complete'"), "it is back")

    def front(self) -> None:
        self._page.bring_to_front()

    def close(self) -> None:
        self._page.close()

    def freeze(self) -> None:
        """As the browser does with tabs that were hidden for long."""
        self.devtools.send("Page.setWebLifecycleState", {"state": "frozen"})

    def thaw(self) -> None:
        self.devtools.send("Page.setWebLifecycleState", {"state": "active"})

    def slow(self, *, latency_ms: int, bytes_per_second: int) -> None:
        """The network that this tab has."""
        conditions = {
            "offline": False,
            "latency": latency_ms,
            "downloadThroughput": bytes_per_second,
            "uploadThroughput": bytes_per_second,
        }
        self.devtools.send("Network.enable")
        self.devtools.send("Network.emulateNetworkConditions", conditions)


class Chromium:
    """One process, attached to."""

    def __init__(self, playwright: Playwright, context: BrowserContext) -> None:
        self._playwright, self._context = playwright, context
        context.set_default_timeout(60_000)
        self.name = "Chromium"
        self._first = set(context.pages)

    def tab(self) -> ChromiumTab:
        return ChromiumTab(self._context.new_page())

    def offline(self, off: bool) -> None:
        self._context.set_offline(off)

    def close_all(self) -> None:
        for page in set(self._context.pages) - self._first:
            page.close()

    @contextmanager
    def storage_denied(self) -> Iterator["Chromium"]:
        with _attached(self._playwright, _COOKIES_BLOCKED) as denied:
            yield denied


@contextmanager
def chromium() -> Iterator[Chromium]:
    """For the block."""
    with sync_playwright() as playwright, _attached(playwright, {}) as attached:
        yield attached


@contextmanager
def _attached(playwright: Playwright, preferences: dict[str, Any]) -> Iterator[Chromium]:
    """A new process with a new profile."""
    profile = Path(tempfile.mkdtemp(prefix="pintag-chromium-"))
    (profile / "Default").mkdir()
    (profile / "Default" / "Preferences").write_text(json.dumps(preferences))
    path = find_chromium() or playwright.chromium.executable_path
    flags = [*FLAGS, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    flags.append(f"--host-resolver-rules=MAP {INSECURE} 127.0.0.1")
    process = subprocess.Popen(
        [path, *flags, "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(9),
    )
    try:
        port = read_port(profile / "DevToolsActivePort")
        browser = playwright.chromium.connect_over_cdp(
            f"http://127.0.0.1:{port}", no_defaults=True, timeout=120_000
        )
        yield Chromium(playwright, browser.contexts[0])
        browser.close()
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(profile, ignore_errors=True)


def read_port(file: Path) -> int:
    """What a browser writes there once it listens."""
    until(lambda: file.exists() and file.read_text(), f"{file.name} is written", seconds=60)
    return int(file.read_text().splitlines()[0])
