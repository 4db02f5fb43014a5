"""What strangers sent, and people typed, is text on every page that shows it."""

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.tour import stops
from tests.tour.hostile import KINDS, hostile
from tests.tour.life import Life
from tests.tour.stops import Stop
from tests.tour.visiting import visitor
from tracker.pages.page import Page

pytestmark = pytest.mark.slow

SEEN = """() => [document.title, document.body.textContent,
  ...[...document.querySelectorAll('input, textarea')].map((one) => one.value)].join('\\n')"""
HACKED = """() => [...document.querySelectorAll(
  '.hacked, [href^="javascript:" i], [src^="javascript:" i], script:not([src]):not([nonce])')]
  .map((one) => one.outerHTML)"""


def visited(life: Life, browser: Browser) -> dict[str, tuple[Page, Stop]]:
    """The stops that can be in any section."""
    return {stop.name: (page, stop) for page, stop in stops.every() if stop.of == "shop"}


def assert_text(tab: Tab) -> str:
    """All that a page shows, after proof that nothing in it came to life."""
    assert tab.evaluate(HACKED) == []
    assert tab.evaluate("'hacked' in window") is False
    return str(tab.evaluate(SEEN))


def test_everything_hostile_is_shown_and_nothing_of_it_is_html(
    life: Life, browser: Browser
) -> None:
    shown: dict[str, set[str]] = {kind: set() for kind in KINDS}
    # Without the policy, which would keep a script from running though it is one.
    with visitor(life, browser, bypass_csp=True) as someone:
        for page, stop in stops.every():
            if stop.of != "shop" or stop.stranger or (stop.then and "{section}" in page.path):
                continue
            tab = someone.open(page, stop, "hostile")
            text = assert_text(tab)
            for kind in KINDS:
                if hostile(kind) in text:
                    shown[kind].add(stop.name)
            tab.close()
        assert someone.wrong == []
    assert {kind for kind, names in shown.items() if not names} == set()
