"""In a browser: a timeline that grows as one scrolls, and a replay that is watched to its end."""

import json
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page

from tests.embedded.waiting import until
from tests.whole.installation import Installation
from tests.whole.test_demo_page import errors
from tracker.rules import ids

pytestmark = pytest.mark.slow

EVENTS = 95


@pytest.fixture
def page(browser: Browser, pintag: Installation) -> Iterator[Page]:
    """A browser in Kathmandu, signed in; fails the test if anything was thrown or refused."""
    wrong: list[str] = []
    context = browser.new_context(timezone_id="Asia/Kathmandu", locale="en-GB")
    context.set_default_timeout(60_000)
    page = context.new_page()
    pintag.sign_in(page)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.extend(errors(message)))
    yield page
    context.close()
    assert wrong == []


def send(pintag: Installation, visitor: str, data: dict[str, str], count: int = 1) -> None:
    now = time.time_ns() // 1_000_000
    hits = [
        {
            "id": str(ids.mint(now, uuid4().bytes[:10])),
            "at": now - n,
            "visitor": visitor,
            "data": data,
        }
        for n in range(count)
    ]
    body = json.dumps({"sent": now, "hits": hits}).encode()
    address = f"{pintag.collector}/v1/{pintag.key('booking')}"
    with urllib.request.urlopen(urllib.request.Request(address, body)) as answer:
        assert answer.status == 204
    assert pintag.audit().problems == []


def test_older_events_come_as_one_scrolls(pintag: Installation, page: Page) -> None:
    send(pintag, "scroller", {"reference": "R-1"}, EVENTS)
    page.goto(f"{pintag.web}/sections/demo/profiles/web/scroller")
    events = page.locator(".timeline > li[data-id]")
    assert events.count() < EVENTS

    def all_there() -> bool:
        page.mouse.wheel(0, 20_000)
        page.wait_for_timeout(50)
        return events.count() == EVENTS

    until(all_there)
    found = page.eval_on_selector_all(".timeline > li", "all => all.map(li => li.dataset.id)")
    assert len(set(found)) == EVENTS
    assert page.locator(".older").count() == 0
    times = page.eval_on_selector_all(
        ".timeline time", "all => all.map(t => [t.dateTime, t.title, t.textContent])"
    )
    assert len(times) == EVENTS
    for at, title, shown in times:
        utc = datetime.fromisoformat(at)
        assert title == f"{utc:%Y-%m-%d %H:%M:%S} UTC"
        assert f":{(utc.minute + 45) % 60:02}:{utc.second:02}" in shown


def test_a_replay_is_watched_to_its_end(pintag: Installation, page: Page) -> None:
    send(pintag, "watcher", {"reference": "R-2", "amount": "a lot"})
    page.goto(f"{pintag.web}/sections/demo/quarantine")
    group = page.locator(".group", has_text="amount").first
    group.get_by_role("button", name="Try a replay").click()
    page.wait_for_url("**/jobs/*")
    page.get_by_role("button", name="Replay this hit").click()
    page.wait_for_url("**/jobs/*")
    page.get_by_text("What became of them").wait_for()
    assert "quarantined (invalid_data)" in page.inner_text("main")
    page.get_by_role("main").get_by_role("link", name="Quarantine").click()
    group.get_by_text("Discard…").click()
    group.get_by_role("button", name="Discard").click()
    assert "discarded, for good" in page.inner_text(".said")
