"""Opening the stops of the tour in a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Page as Tab

from tests.tour import stops
from tests.tour.life import Life
from tests.tour.stops import Stop
from tracker.pages.page import COOKIE, Page

DESKTOP, PHONE = (1280, 900), (390, 844)
Size = tuple[int, int]


class Visitor:
    """Somebody's browser: the owner's, or a stranger's; `wrong` is what it complains about."""

    def __init__(self, life: Life, context: BrowserContext) -> None:
        self.life, self.context = life, context
        self.wrong: list[str] = []
        context.set_default_timeout(60_000)
        context.on("weberror", lambda error: self.wrong.append(str(error.error)))
        context.on("console", lambda one: self._note(one.type, one.text))

    def open(self, page: Page, stop: Stop, of: str = "") -> Tab:
        """Open a stop in a new tab; of: in another section than the stop's own."""
        tab = self.context.new_page()
        answer = tab.goto(stops.address(self.life, page, stop, of))
        assert answer is not None
        assert answer.status == (200 if stop.then else stop.status), tab.inner_text("main")
        if stop.then:
            stop.then(tab)
        return tab

    def _note(self, kind: str, text: str) -> None:
        expected = any(f"status of {status}" in text for status in (403, 422))
        if kind in ("error", "warning") and not expected:
            self.wrong.append(text)


@contextmanager
def visitor(
    life: Life, browser: Browser, size: Size = DESKTOP, *, stranger: bool = False, **options: Any
) -> Iterator[Visitor]:
    """A browser with an empty cache, signed in unless a stranger's."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="en-GB",
        timezone_id="Europe/Oslo",
        **options,
    )
    if not stranger:
        context.add_cookies([{"name": COOKIE, "value": life.session, "url": life.pintag.web}])
    yield Visitor(life, context)
    context.close()
