"""The first minute with Pintag: open the demo page, click, see the event on the profile."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.whole.installation import Installation


@pytest.fixture(scope="module")
def context(browser: Browser, pintag: Installation) -> Iterator[BrowserContext]:
    """One visitor, signed in, who keeps their storage from test to test."""
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    pintag.sign_in(page)
    page.close()
    yield context
    context.close()


def errors(message: ConsoleMessage) -> list[str]:
    return [message.text] if message.type == "error" else []


@pytest.fixture
def page(context: BrowserContext, pintag: Installation) -> Iterator[Page]:
    """The demo page; fails the test if anything was thrown or refused there."""
    wrong: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.extend(errors(message)))
    page.goto(f"{pintag.web}/demo")
    yield page
    page.close()
    assert wrong == []


@pytest.mark.parametrize(
    ("button", "event", "fields"),
    [
        ("#book", "Booking", "amount 240.50 currency EUR"),
        ("#tier", "Loyalty tier", "stage Gold"),
        ("#sweet", "Poll vote", "subject Breakfast: sweet"),
    ],
)
def test_a_click_shows_up_on_the_timeline(
    page: Page, pintag: Installation, button: str, event: str, fields: str
) -> None:
    page.click(button)
    newest = page.locator("#timeline li", has_text=event).first
    newest.wait_for(timeout=60_000)
    assert fields in " ".join(newest.inner_text().split())
    page.click("#profile")
    assert event in page.inner_text(".timeline")
    visitor = page.evaluate("localStorage.getItem('pintag.v')")
    assert event in pintag.pintag("profile", "show", visitor)


def test_the_way_from_the_account_to_the_events(page: Page, pintag: Installation) -> None:
    page.goto(pintag.web)
    page.click("summary")
    page.click("text=Settings")
    page.click("main >> text=Demo")
    page.click("nav >> text=Data Model")
    assert "Booking" in page.inner_text("main")
    page.click("nav.tabs >> text=Signals")
    assert "Poll vote" in page.inner_text("main")
    assert "web tracking on" in page.inner_text("main")


def test_a_listener_on_loopback_knows_its_own_names_only(pintag: Installation, page: Page) -> None:
    answer = page.request.get(pintag.web, headers={"Host": "evil.example"})
    assert answer.status == 400
