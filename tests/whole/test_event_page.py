"""Trying out an event, from its page alone: switch on, copy, paste, click, see what is wrong."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.whole.installation import Installation
from tests.whole.site import website

pytestmark = pytest.mark.slow

CLICK = """<script>
function sign (fields) { pintag('guest-book', fields) }
</script>"""


@pytest.fixture
def context(browser: Browser, pintag: Installation) -> Iterator[BrowserContext]:
    """The owner's browser; fails the test if anything was thrown or refused in it."""
    wrong: list[str] = []
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(60_000)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on("console", lambda m: wrong.append(m.text) if "Content Security" in m.text else None)
    page = context.new_page()
    pintag.sign_in(page)
    page.close()
    yield context
    context.close()
    assert wrong == []


def copied(page: Page, id: str) -> str:
    """What the copy button of a code block puts on the clipboard."""
    button = page.locator(f"[data-copy={id}]")
    button.click()
    page.wait_for_function(
        "id => document.querySelector(`[data-copy=${id}]`).textContent === 'Copied'", arg=id
    )
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_the_panel_lights_up(context: BrowserContext, pintag: Installation) -> None:
    pintag.pintag("event", "create", "Guest book", "--category", "signals", "--section", "demo")
    page = context.new_page()
    page.goto(f"{pintag.web}/sections/demo/events/guest-book")
    page.get_by_role("button", name="Switch on").click()
    page.get_by_text("Waiting for the first hit").wait_for()
    assert page.evaluate("document.querySelector('[data-again]').hidden")
    snippet = copied(page, "test-text")
    panel = page.locator(".panel")
    with website(snippet + CLICK) as site:
        guest = context.new_page()
        guest.goto(site)
        page.bring_to_front()
        guest.evaluate("sign({ subject: 7, mood: 'fine' })")
        panel.get_by_text("would be quarantined").first.wait_for()
        assert panel.locator(".errors strong").all_inner_texts() == ["subject", "mood"]
        assert panel.get_attribute("data-lit") == "wrong"
        guest.evaluate("sign({ subject: 'a room' })")
        panel.get_by_text("The last hit would be stored.").wait_for()
        assert panel.get_attribute("data-lit") == "right"
        assert panel.locator(".trial").count() == 2
    with pintag.database() as db:
        stored = db.execute(
            "SELECT count(*) FROM event JOIN version v ON v.id = version_id"
            " JOIN definition d ON d.id = v.definition_id WHERE d.slug = 'guest-book'"
        ).fetchone()
        assert stored == (0,)
