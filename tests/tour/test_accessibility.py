"""What axe says of every page, and what it can't see: focus, width, motion, weight."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Response
from playwright.sync_api import Page as Tab

from tests.tools.install import AXE
from tests.tour import stops
from tests.tour.life import Life
from tests.tour.stops import Stop
from tests.tour.visiting import DESKTOP, PHONE, Size, visitor
from tracker.pages.page import Page

pytestmark = pytest.mark.slow

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MOST_BYTES = 50_000
"""Of HTML, style and scripts, as they are sent, when a page is the first one."""
NARROWEST = (320, 800)
AUDIT = Path(__file__).with_name("audit.js").read_text(encoding="utf-8")

every_stop = pytest.mark.parametrize(
    ("page", "stop"), list(stops.every()), ids=[stop.name for _, stop in stops.every()]
)


def test_every_page_has_a_stop() -> None:
    assert stops.missing() == []


def violations(tab: Tab, *, covered: bool = False) -> list[str]:
    """What axe finds, a line each; covered: buttons may lie under a menu that is open."""
    if not tab.evaluate("'axe' in window"):
        tab.evaluate((AXE / "axe.min.js").read_text(encoding="utf-8"))
    rules = {"target-size": {"enabled": not covered}}
    options = json.dumps({"runOnly": TAGS, "resultTypes": ["violations"], "rules": rules})
    found = tab.evaluate(f"axe.run(document, {options})")
    return [
        f"{one['id']}: {node['html'][:200]} {' '.join(node['failureSummary'].split())}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def weight(answers: list[Response]) -> int:
    kinds = ("document", "stylesheet", "script")
    whole = (one for one in answers if one.status < 300)  # no redirects
    sent = [one.request for one in whole if one.request.resource_type in kinds]
    return sum(one.sizes()["responseBodySize"] for one in sent)


def audit(tab: Tab, question: str) -> object:
    return tab.evaluate(f"({AUDIT.strip()}).{question}()")


@every_stop
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(
    life: Life, browser: Browser, page: Page, stop: Stop, size: Size
) -> None:
    with visitor(life, browser, size, stranger=stop.stranger) as someone:
        tab = someone.open(page, stop)
        found = {}
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            found[scheme] = violations(tab, covered=stop.covers)
        assert found == {"light": [], "dark": []}
        assert someone.wrong == []


@every_stop
def test_nothing_hides_moves_or_weighs(
    life: Life, browser: Browser, page: Page, stop: Stop
) -> None:
    with visitor(life, browser, PHONE, stranger=stop.stranger, reduced_motion="reduce") as someone:
        answers: list[Response] = []
        someone.context.on("response", lambda one: answers.append(one))
        tab = someone.open(page, stop)
        assert audit(tab, "overflow") == 0
        assert audit(tab, "moving") == []
        if not stop.then:
            assert weight(answers) < MOST_BYTES
        tab.set_viewport_size({"width": NARROWEST[0], "height": NARROWEST[1]})
        assert audit(tab, "overflow") == 0
        tab.keyboard.press("Tab")
        assert audit(tab, "withoutFocusStyle") == []
        assert audit(tab, "overflow") == 0
        assert someone.wrong == []
