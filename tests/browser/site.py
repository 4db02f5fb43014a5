"""The website of these tests: its pages, and what its visitors' storage holds."""

from datetime import date

from playwright.sync_api import BrowserContext, Page

from tests.browser.wire import Wire
from tracker.snippets.render import (
    SnippetConfig,
    hosted_script,
    render_event,
    render_hosted,
    render_inline,
)

EMPTY = "!Object.keys(localStorage).some((key) => key.startsWith('pintag.h.'))"
BUTTONS = """
<button id="buy" onclick="pintag('signup', {plan: 'pro'})">Buy</button>
<a id="leave" href="/next" onclick="pintag('signup', {plan: 'gone'})">Leave</a>
"""


def config(wire: Wire, slug: str = "signup", name: str = "Sign-up") -> SnippetConfig:
    """The snippet `slug`, with the key `key-<slug>`."""
    return SnippetConfig(wire.collector, f"key-{slug}", slug, name, 1, date(2026, 11, 23))


def inline(wire: Wire, slug: str = "signup", name: str = "Sign-up") -> str:
    return render_inline(config(wire, slug, name))


def event(wire: Wire, slug: str = "signup", name: str = "Sign-up") -> str:
    """The form for another event: it only registers."""
    return render_event(config(wire, slug, name))


def hosted(wire: Wire, slug: str = "signup") -> str:
    """The hosted form; its script is served from now on."""
    script = hosted_script()
    wire.scripts[f"/s/{script.hash}.js"] = script.body
    return render_hosted(config(wire, slug))


def publish(wire: Wire, *parts: str, path: str = "/") -> None:
    """A page of these parts of HTML, with the buttons after them."""
    head = "<!doctype html><title>Shop</title><link rel=icon href=data:,>"
    wire.pages[path] = head + "".join(parts) + BUTTONS


def visit(context: BrowserContext, wire: Wire, path: str = "/") -> Page:
    """A new tab on a page, once it has loaded."""
    page = context.new_page()
    page.goto(wire.site + path)
    return page


def settled(page: Page) -> None:
    """Waits until the page has nothing left to send."""
    page.wait_for_function(EMPTY)


def stored(page: Page) -> list[str]:
    """The ids of the hits in the storage."""
    keys: list[str] = page.evaluate("Object.keys(localStorage)")
    hits = (key.removeprefix("pintag.h.") for key in keys if key.startswith("pintag.h."))
    return sorted(key.split(" ")[0] for key in hits)


def hide(page: Page) -> None:
    """What a page goes through when its tab is left; it is there all the same."""
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))"
    )


def show(page: Page) -> None:
    """The end of `hide`."""
    page.evaluate(
        "delete document.hidden;"
        "document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))"
    )
