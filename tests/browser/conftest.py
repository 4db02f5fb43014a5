"""A real Chromium, and a recorder of the wire."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser import wire as wires
from tests.browser.chromium import chromium


# Not for the whole session: while Playwright runs, its event loop counts as this thread's, and
# tests elsewhere that call asyncio.run would fail.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor with an empty storage; fails the test if anything threw into a page."""
    errors: list[str] = []
    context = browser.new_context()
    context.set_default_timeout(wires.PATIENCE * 1000)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert errors == []


@pytest.fixture
def wire() -> Iterator[wires.Wire]:
    with wires.running() as wire:
        yield wire
